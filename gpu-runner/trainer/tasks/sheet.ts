/** Sample sheets: images side by side, for a person to look at. */
import type { Samples } from '../task.ts'
import type { ImageSize } from './augmentation.ts'

/**
 * @param planes images one after the other, [n, channels, height, width] in [0, 1]
 * @param columns of them in a row
 */
export function sheet(planes: Float32Array, size: ImageSize, columns: number): Samples {
  const { channels, height, width } = size
  const plane = height * width
  const count = planes.length / (channels * plane)
  const whole = { width: columns * width, height: Math.ceil(count / columns) * height }
  const pixels = new Uint8Array(whole.width * whole.height * channels).fill(255)
  for (let image = 0; image < count; image++) {
    const [left, top] = [(image % columns) * width, Math.floor(image / columns) * height]
    for (let pixel = 0; pixel < plane; pixel++) {
      const [x, y] = [left + (pixel % width), top + Math.floor(pixel / width)]
      for (let channel = 0; channel < channels; channel++) {
        const value = planes[(image * channels + channel) * plane + pixel] ?? 0
        pixels[(y * whole.width + x) * channels + channel] = Math.round(255 * Math.min(1, Math.max(0, value)))
      }
    }
  }
  return { ...whole, channels, pixels }
}
