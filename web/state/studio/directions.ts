/**
 * Directions of a latent space in which what is decoded changes most: eigenvectors of JᵀJ, where J is the decoder's
 * Jacobian at the origin (the pull-back metric of Arvanitidis et al. 2018), taken by central differences.
 */
import { dot, symmetricEigenvectors, type Vector } from './vectors.ts'

export interface Direction {
  /** Of length 1. */
  readonly vector: Vector
  /** Of all change, at the origin. */
  readonly share: number
}

/** Above it a rotation takes longer than anybody waits: the axes themselves are put in order. */
const MOST_ROTATED = 128

/** The points that have to be decoded for `directionsFrom`: one step of 1 up and down each axis. */
export function probes(latents: number): readonly Vector[] {
  return Array.from({ length: 2 * latents }, (_, i) =>
    Array.from({ length: latents }, (_, axis) => (axis === i >> 1 ? (i % 2 === 0 ? 1 : -1) : 0)),
  )
}

/** @param decoded what the probes were decoded to, in order, as numbers */
export function directionsFrom(decoded: readonly ArrayLike<number>[]): readonly Direction[] {
  const jacobian = Array.from({ length: decoded.length >> 1 }, (_, axis) => {
    const [up, down] = [decoded[2 * axis] ?? [], decoded[2 * axis + 1] ?? []]
    return Array.from(up, (value, i) => (value - (down[i] ?? 0)) / 2)
  })
  const axes = jacobian.map((_, axis) => jacobian.map((_, i) => (i === axis ? 1 : 0)))
  const found =
    jacobian.length > MOST_ROTATED
      ? jacobian.map((column, axis) => ({ vector: axes[axis] ?? [], value: dot(column, column) }))
      : symmetricEigenvectors(jacobian.map((a) => jacobian.map((b) => dot(a, b))))
  const total = found.reduce((sum, { value }) => sum + value, 0) || 1
  return found
    .toSorted((a, b) => b.value - a.value)
    .map(({ vector, value }) => ({ vector: upright(vector), share: Math.max(0, value) / total }))
}

/** An eigenvector may point either way: its largest number is made positive, so that it is the same each time. */
function upright(vector: Vector): Vector {
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
  return largest < 0 ? vector.map((value) => -value) : vector
}
