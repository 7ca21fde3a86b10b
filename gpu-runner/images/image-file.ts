/** A picture as a file. */
import sharp from 'sharp'
import type { ImageWork } from '#protocol/image-work.ts'

/**
 * @param planes [channels, height, width] in [0, 1]; what is outside is clipped
 * @param scale each pixel becomes a square of so many
 * @returns a PNG, or a WebP without loss: the same samples
 */
export async function encodeImage(
  planes: Float32Array,
  { input: { channels, height, width }, scale, format }: Pick<ImageWork, 'input' | 'scale' | 'format'>,
): Promise<Buffer> {
  const pixels = height * width
  const samples = new Uint8ClampedArray(planes.length)
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      samples[pixel * channels + channel] = (planes[channel * pixels + pixel] ?? 0) * 255
    }
  }
  const image = sharp(samples, { raw: { width, height, channels } })
  const whole = scale === 1 ? image : image.resize(width * scale, height * scale, { kernel: 'nearest' })
  // One channel stays one; sharp would make it three.
  const shaded = channels === 1 ? whole.toColourspace('b-w') : whole
  return format === 'png' ? shaded.png().toBuffer() : shaded.webp({ lossless: true }).toBuffer()
}
