/**
 * How much two drawings of one thing differ: their mean distance, as a share of that of real images of different things.
 * 0: always the same picture; 1: pictures that have nothing in common.
 */

/**
 * @param first [n, size], as are `second`, whose i-th is of the same thing, and `real`, all of different ones
 */
export function variety(first: Float32Array, second: Float32Array, real: Float32Array, size: number): number {
  const next = Float32Array.from(real, (_, i) => real[(i + size) % real.length] ?? 0)
  return meanDistance(first, second, size) / meanDistance(real, next, size)
}

/** Of the i-th from the i-th. */
function meanDistance(a: Float32Array, b: Float32Array, size: number): number {
  const count = a.length / size
  let total = 0
  for (let i = 0; i < count; i++) {
    let squares = 0
    for (let k = i * size; k < (i + 1) * size; k++) squares += ((a[k] ?? 0) - (b[k] ?? 0)) ** 2
    total += Math.sqrt(squares) / count
  }
  return total
}
