/**
 * How far two sets of images are apart, without a network that judges them: the sliced Wasserstein distance (Rabin et al.
 * 2012; of images as in Karras et al. 2018, arXiv:1710.10196): both sets are seen along random directions, where the
 * distance is that of the sorted numbers.
 */
import { Random } from '../random.ts'

const DIRECTIONS = 128

/**
 * @param a [n, size], as is `b`
 * @returns the root of the mean square over the directions, which have length 1
 */
export function slicedWasserstein(a: Float32Array, b: Float32Array, size: number): number {
  const count = a.length / size
  const random = new Random(1)
  const direction = new Float32Array(size)
  const along = (values: Float32Array) =>
    Float64Array.from({ length: count }, (_, i) => {
      let sum = 0
      for (let k = 0; k < size; k++) sum += (values[i * size + k] ?? 0) * (direction[k] ?? 0)
      return sum
    }).sort()
  let squares = 0
  for (let i = 0; i < DIRECTIONS; i++) {
    random.normals(direction)
    const length = Math.hypot(...direction)
    for (let k = 0; k < size; k++) direction[k] = (direction[k] ?? 0) / length
    const [first, second] = [along(a), along(b)]
    squares += first.reduce((sum, value, k) => sum + (value - (second[k] ?? 0)) ** 2, 0) / count
  }
  return Math.sqrt(squares / DIRECTIONS)
}

/** How much images [n, size] differ: the variance of an element over them, on average. */
export function diversity(images: Float32Array, size: number): number {
  const count = images.length / size
  let sum = 0
  for (let k = 0; k < size; k++) {
    let [mean, squares] = [0, 0]
    for (let i = 0; i < count; i++) mean += (images[i * size + k] ?? 0) / count
    for (let i = 0; i < count; i++) squares += ((images[i * size + k] ?? 0) - mean) ** 2 / count
    sum += squares / size
  }
  return sum
}
