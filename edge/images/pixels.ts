/** Pictures as models have them: float32 in [0, 1], channel by channel, row by row. */
import { ApiError } from '#protocol/error.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { decodePng, encodePng, type Picture, PngError, pngSize } from './png.ts'

export interface ImageShape {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** Rec. 601. */
const LUMA = [0.299, 0.587, 0.114] as const

export const samplesOf = ({ channels, height, width }: ImageShape): number => channels * height * width

/**
 * A PNG in base64, or in a data URL, as a model's image [channels, height, width]. Grey and colour become what the model
 * has; what is transparent is laid on white if the model has no alpha.
 * @throws ApiError 400 that names `param` if it is no PNG, or not of the model's size
 */
export async function imageFromBase64(text: string, shape: ImageShape, param: string): Promise<Float32Array> {
  const file = fromBase64(text.replace(/^data:image\/png;base64,/, ''))
  if (file === null) throw new ApiError('invalid_value', `Invalid '${param}': expected a PNG in base64.`, { param })
  return imageFromPng(file, shape, param)
}

/** As `imageFromBase64`, from the file's bytes. */
export async function imageFromPng(file: Uint8Array, shape: ImageShape, param: string): Promise<Float32Array> {
  try {
    const { width, height } = pngSize(file)
    if (width !== shape.width || height !== shape.height) {
      const message = `Invalid '${param}': expected an image of ${shape.width} × ${shape.height} pixels, got ${width} × ${height}.`
      throw new ApiError('invalid_value', message, { param })
    }
    return toPlanes(await decodePng(file), shape.channels)
  } catch (cause) {
    if (!(cause instanceof PngError)) throw cause
    throw new ApiError('invalid_value', `Invalid '${param}': expected a PNG, but ${cause.message}.`, { param, cause })
  }
}

/** A model's image [channels, height, width] as a PNG in base64. */
export async function imageToBase64(planes: Float32Array, shape: ImageShape): Promise<string> {
  return toBase64(await imageToPng(planes, shape))
}

/**
 * A model's image [channels, height, width] as a PNG.
 * @param scale each pixel becomes a square of so many
 */
export async function imageToPng(
  planes: Float32Array,
  { channels, height, width }: ImageShape,
  scale = 1,
): Promise<Uint8Array> {
  const pixels = height * width
  const samples = new Float32Array(planes.length)
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      samples[pixel * channels + channel] = planes[channel * pixels + pixel] ?? 0
    }
  }
  return encodePng(enlarged({ width, height, channels, samples }, scale))
}

function enlarged(picture: Picture, scale: number): Picture {
  if (scale === 1) return picture
  const { width, height, channels, samples } = picture
  const row = width * scale * channels
  const out = new Float32Array(samples.length * scale * scale)
  for (let y = 0; y < height; y++) {
    const first = y * scale * row
    for (let x = 0; x < width * scale; x++) {
      const from = (y * width + Math.floor(x / scale)) * channels
      for (let channel = 0; channel < channels; channel++) {
        out[first + x * channels + channel] = samples[from + channel] ?? 0
      }
    }
    for (let copy = 1; copy < scale; copy++) out.copyWithin(first + copy * row, first, first + row)
  }
  return { width: width * scale, height: height * scale, channels, samples: out }
}

function toPlanes({ width, height, channels: from, samples }: Picture, channels: number): Float32Array {
  const pixels = width * height
  const planes = new Float32Array(channels * pixels)
  const isGrey = from < 3
  const hasAlpha = from % 2 === 0
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = pixel * from
    const first = samples[at] ?? 0
    const colour = isGrey ? [first, first, first] : [first, samples[at + 1] ?? 0, samples[at + 2] ?? 0]
    const alpha = hasAlpha ? (samples[at + from - 1] ?? 1) : 1
    const shown = channels === 4 ? colour : colour.map((sample) => sample * alpha + 1 - alpha)
    const [red = 0, green = 0, blue = 0] = shown
    const own =
      channels === 1 ? [isGrey ? red : red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]] : [red, green, blue, alpha]
    for (let channel = 0; channel < channels; channel++) planes[channel * pixels + pixel] = own[channel] ?? 0
  }
  return planes
}
