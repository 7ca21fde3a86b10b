/** Pixels as layers read them. */
import type { ImageSet } from '../data/data-set.ts'

/** Writes items as rows of pixels [items · height · width, channels], scaled from 0…255 to `low`…`high`. */
export function fillImages(
  target: Float32Array,
  { channels, height, width, pixels }: ImageSet,
  items: ArrayLike<number>,
  [low, high]: readonly [number, number] = [0, 1],
): void {
  const plane = height * width
  const scaled = Float32Array.from({ length: 256 }, (_, value) => low + ((high - low) * value) / 255)
  for (let i = 0; i < items.length; i++) {
    const from = (items[i] ?? 0) * channels * plane
    const to = i * channels * plane
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < plane; pixel++) {
        target[to + pixel * channels + channel] = scaled[pixels[from + channel * plane + pixel] ?? 0] ?? 0
      }
    }
  }
}
