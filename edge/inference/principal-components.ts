/**
 * Principal component analysis: the plane in which points differ most (Pearson 1901), by subspace iteration (Halko,
 * Martinsson and Tropp 2011, arXiv:0909.4061), which needs no covariance matrix.
 */
import { normals } from '#models/random/normal.ts'

export interface Plane {
  /** [points][2] */
  readonly points: [number, number][]
  /** Of each axis: its share of the variance, 0 to 1. */
  readonly explained: [number, number]
}

/** Directions that are followed; more than two, so that the third may be nearly as good as the second. */
const FOLLOWED = 8
const MOST_STEPS = 200
/** Relative change of the variances at which they are found. */
const TOLERANCE = 1e-12

type Vector = Float64Array

/** Points by their first two components; each axis points so that its direction's largest number is positive. */
export function principalPlane(rows: readonly (readonly number[])[]): Plane {
  const columns = rows[0]?.length ?? 0
  const centred = centre(rows, columns)
  const total = centred.reduce((sum, row) => sum + dot(row, row), 0)
  const random = normals(1)
  let basis = orthonormal(
    Array.from({ length: Math.min(FOLLOWED, columns) }, () => Float64Array.from({ length: columns }, random)),
  )
  let axes: Vector[] = []
  let before = 0
  for (let step = 0; step < MOST_STEPS; step++) {
    const images = basis.map((direction) => multiplied(centred, direction))
    // Rayleigh and Ritz: within the subspace, the directions that the matrix only stretches.
    const { values, vectors } = eigen(basis.map((a) => images.map((b) => dot(a, b))))
    axes = vectors.slice(0, 2).map((weights) => upright(combined(basis, weights)))
    const found = (values[0] ?? 0) + (values[1] ?? 0)
    if (Math.abs(found - before) <= TOLERANCE * found) break
    before = found
    basis = orthonormal(vectors.map((weights) => combined(images, weights)))
  }
  const along = (row: Vector, axis: Vector | undefined) => (axis ? dot(row, axis) : 0)
  const points = centred.map((row): [number, number] => [along(row, axes[0]), along(row, axes[1])])
  const share = (axis: 0 | 1) => (total > 0 ? points.reduce((sum, point) => sum + point[axis] ** 2, 0) / total : 0)
  return { points, explained: [share(0), share(1)] }
}

function centre(rows: readonly (readonly number[])[], columns: number): Vector[] {
  const sum = new Float64Array(columns)
  for (const row of rows) for (let i = 0; i < columns; i++) sum[i] = at(sum, i) + (row[i] ?? 0)
  return rows.map((row) => Float64Array.from(row, (value, i) => value - at(sum, i) / rows.length))
}

/** XᵀX times a direction. */
function multiplied(rows: readonly Vector[], direction: Vector): Vector {
  const out = new Float64Array(direction.length)
  for (const row of rows) {
    const along = dot(row, direction)
    for (let i = 0; i < out.length; i++) out[i] = at(out, i) + along * at(row, i)
  }
  return out
}

/** Gram and Schmidt, twice for accuracy; what depends on those before becomes nothing. */
function orthonormal(vectors: readonly Vector[]): Vector[] {
  const done: Vector[] = []
  for (const vector of vectors) {
    const own = Float64Array.from(vector)
    const length = Math.sqrt(dot(own, own))
    for (let pass = 0; pass < 2; pass++) {
      for (const other of done) {
        const along = dot(own, other)
        for (let i = 0; i < own.length; i++) own[i] = at(own, i) - along * at(other, i)
      }
    }
    const left = Math.sqrt(dot(own, own))
    done.push(left > length * 1e-12 ? own.map((value) => value / left) : own.fill(0))
  }
  return done
}

/** Of a small symmetric matrix, the largest first: Jacobi's rotations (1846). Vectors are rows. */
function eigen(matrix: readonly (readonly number[])[]): { values: number[]; vectors: number[][] } {
  const n = matrix.length
  const a = matrix.map((row) => Float64Array.from(row))
  const v = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => Number(i === j)))
  const cell = (i: number, j: number) => at(a[i] ?? new Float64Array(), j)
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(cell(p, q)) <= 1e-300) continue
        const theta = (cell(q, q) - cell(p, p)) / (2 * cell(p, q))
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
        const cos = 1 / Math.hypot(t, 1)
        const rotate = (rows: readonly Vector[], i: number, j: number) => {
          for (const row of rows) {
            const [x, y] = [at(row, i), at(row, j)]
            row[i] = cos * x - t * cos * y
            row[j] = t * cos * x + cos * y
          }
        }
        rotate(a, p, q)
        const [first, second] = [a[p] ?? new Float64Array(n), a[q] ?? new Float64Array(n)]
        for (let i = 0; i < n; i++) {
          const [x, y] = [at(first, i), at(second, i)]
          first[i] = cos * x - t * cos * y
          second[i] = t * cos * x + cos * y
        }
        rotate(v, p, q)
      }
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => cell(j, j) - cell(i, i))
  return { values: order.map((i) => cell(i, i)), vectors: order.map((i) => v.map((row) => at(row, i))) }
}

function combined(vectors: readonly Vector[], weights: readonly number[]): Vector {
  const out = new Float64Array(vectors[0]?.length ?? 0)
  for (const [k, vector] of vectors.entries()) {
    for (let i = 0; i < out.length; i++) out[i] = at(out, i) + (weights[k] ?? 0) * at(vector, i)
  }
  return out
}

function upright(axis: Vector): Vector {
  const largest = axis.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
  return largest < 0 ? axis.map((value) => -value) : axis
}

function dot(a: Vector, b: Vector): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i)
  return sum
}

const at = (vector: Vector, i: number): number => vector[i] ?? 0
