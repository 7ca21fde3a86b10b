/** Pixels as layers read them. */
import type { ImageSet } from '../data/data-set.ts'

export interface FillOptions {
  /** What 0 and 255 become. */
  readonly range?: readonly [low: number, high: number]
  /** Whether the i-th is turned left to right. */
  readonly flipped?: (i: number) => boolean
}

/** Writes items as rows of pixels [items · height · width, channels]. */
export function fillImages(
  target: Float32Array,
  { channels, height, width, pixels }: ImageSet,
  items: ArrayLike<number>,
  { range: [low, high] = [0, 1], flipped = () => false }: FillOptions = {},
): void {
  const plane = height * width
  const scaled = Float32Array.from({ length: 256 }, (_, value) => low + ((high - low) * value) / 255)
  for (let i = 0; i < items.length; i++) {
    const from = (items[i] ?? 0) * channels * plane
    const to = i * channels * plane
    const isFlipped = flipped(i)
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < plane; pixel++) {
        const column = pixel % width
        const source = isFlipped ? pixel - column + width - 1 - column : pixel
        target[to + pixel * channels + channel] = scaled[pixels[from + channel * plane + source] ?? 0] ?? 0
      }
    }
  }
}

/** Items as a published model has them, [items, channels, height, width] in [0, 1]. */
export function planesOf({ channels, height, width, pixels }: ImageSet, items: ArrayLike<number>): Float32Array {
  const size = channels * height * width
  const planes = new Float32Array(items.length * size)
  for (let i = 0; i < items.length; i++) {
    const from = (items[i] ?? 0) * size
    for (let k = 0; k < size; k++) planes[i * size + k] = (pixels[from + k] ?? 0) / 255
  }
  return planes
}
