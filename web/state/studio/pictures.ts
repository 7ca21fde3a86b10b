/** Pictures between files, the model's size, and what the API takes: PNGs in base64. */
import { text } from '../../text-studio.ts'
import { FileProblem } from '../task.ts'
import { normalVector } from './vectors.ts'

export interface PictureSize {
  readonly width: number
  readonly height: number
}

const MOST_BYTES = 20 << 20

export const dataUrl = (base64: string): string => `data:image/png;base64,${base64}`

export function isPicture(file: Blob): boolean {
  return file.type.startsWith('image/')
}

/**
 * The middle of a picture, square or whatever the size asks, laid on white where it is transparent.
 * @throws FileProblem if it is no picture, or too large
 */
export async function fitPicture(file: Blob, { width, height }: PictureSize): Promise<string> {
  const name = file instanceof File ? file.name : text.files.unnamed
  if (file.size > MOST_BYTES) throw new FileProblem(text.files.tooLarge(name, file.size, MOST_BYTES))
  let whole: ImageBitmap
  try {
    whole = await createImageBitmap(file)
  } catch {
    throw new FileProblem(text.files.noPicture(name))
  }
  const scale = Math.min(whole.width / width, whole.height / height)
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
  const [x, y] = [(whole.width - w) >> 1, (whole.height - h) >> 1]
  const options: ImageBitmapOptions = { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' }
  const part = await createImageBitmap(whole, x, y, w, h, options)
  whole.close()
  const { canvas, context } = canvasOf({ width, height })
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.drawImage(part, 0, 0)
  part.close()
  return base64Of(canvas)
}

/** RGBA, row by row. */
export async function readPixels(base64: string): Promise<ImageData> {
  const bitmap = await createImageBitmap(blobOf(base64))
  const { context } = canvasOf(bitmap)
  context.drawImage(bitmap, 0, 0)
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height)
  bitmap.close()
  return pixels
}

/** As a PNG. @param planes in [0, 1], channel by channel, row by row */
export async function base64FromPlanes(
  planes: Float32Array,
  { channels, width, height }: PictureSize & { readonly channels: number },
): Promise<string> {
  const size = width * height
  const pixels = new ImageData(width, height)
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 4; channel++) {
      const plane = channels === 1 ? 0 : channel
      const sample = channel === 3 && channels < 4 ? 1 : (planes[plane * size + i] ?? 0)
      pixels.data[4 * i + channel] = Math.round(255 * sample)
    }
  }
  const { canvas, context } = canvasOf(pixels)
  context.putImageData(pixels, 0, 0)
  return base64Of(canvas)
}

/** With normal noise of a standard deviation, 0 to 1, in each channel. */
export async function withNoise(base64: string, deviation: number): Promise<string> {
  const pixels = await readPixels(base64)
  const noise = normalVector(pixels.data.length, Math.random)
  for (const [i, normal] of noise.entries()) {
    if (i % 4 !== 3) pixels.data[i] = Math.round((pixels.data[i] ?? 0) + 255 * deviation * normal)
  }
  const { canvas, context } = canvasOf(pixels)
  context.putImageData(pixels, 0, 0)
  return base64Of(canvas)
}

export function blobOf(base64: string): Blob {
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], { type: 'image/png' })
}

function canvasOf({ width, height }: PictureSize) {
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) throw new TypeError('this browser draws nothing in two dimensions')
  return { canvas, context }
}

async function base64Of(canvas: OffscreenCanvas): Promise<string> {
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
