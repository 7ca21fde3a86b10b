/** Whether what was asked for was drawn: made images against the real ones of the same captions. */

/**
 * The share of made images whose own real one is the nearest of all of them, by the squared distance of small pictures.
 * @param made [n, channels, height, width], as is `real`; the i-th of both are of one caption
 */
export function retrieval(
  made: Float32Array,
  real: Float32Array,
  size: { readonly channels: number; readonly height: number; readonly width: number },
): number {
  const [a, b] = [thumbnails(made, size), thumbnails(real, size)]
  const found = a.filter((image, i) => {
    const distances = b.map((other) => image.reduce((sum, x, k) => sum + (x - (other[k] ?? 0)) ** 2, 0))
    return distances.every((distance, j) => j === i || distance > (distances[i] ?? 0))
  })
  return found.length / a.length
}

/** Pixels of a thumbnail's side: what is a little off its place counts as the same. */
const SIDE = 8

/** Means over squares, an array for each image. */
function thumbnails(
  images: Float32Array,
  { channels, height, width }: { readonly channels: number; readonly height: number; readonly width: number },
): Float32Array[] {
  const [down, across] = [height / SIDE, width / SIDE]
  const size = channels * height * width
  return Array.from({ length: images.length / size }, (_, image) => {
    const small = new Float32Array(channels * SIDE * SIDE)
    for (let i = 0; i < size; i++) {
      const [channel, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width]
      const at = (channel * SIDE + Math.floor(y / down)) * SIDE + Math.floor(x / across)
      small[at] = (small[at] ?? 0) + (images[image * size + i] ?? 0) / (down * across)
    }
    return small
  })
}
