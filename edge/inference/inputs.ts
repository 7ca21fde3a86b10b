/** What callers give a model to look at, as the model takes it. */
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { ModelParts, PublishedModel } from '#protocol/published-model.ts'
import { type ImageShape, imageFromBase64, samplesOf } from '../images/pixels.ts'

export type Input = ModelParts['input']

export interface Encodable {
  readonly items: readonly Float32Array[]
  /** Of one item. */
  readonly shape: readonly number[]
}

export type Given = { readonly images: readonly string[] } | { readonly rows: readonly (readonly number[])[] }

/** Of one image or row. */
export function itemShape(input: Input): number[] {
  return input.kind === 'images' ? [input.channels, input.height, input.width] : [input.columns.length]
}

/** @throws ApiError 400 that names the item which is not the model's, and how */
export async function encodable({ id, parts: { input } }: PublishedModel, given: Given): Promise<Encodable> {
  const shape = itemShape(input)
  if (input.kind === 'images') {
    if (!('images' in given)) throw wrongInput(id, 'rows', 'images')
    checkSamples(given.images.length, input, 'images')
    const items: Float32Array[] = []
    for (const [i, text] of given.images.entries()) items.push(await imageFromBase64(text, input, `images[${i}]`))
    return { items, shape }
  }
  if (!('rows' in given)) throw wrongInput(id, 'images', 'rows')
  const columns = input.columns.length
  const items = given.rows.map((row, i) => {
    if (row.length === columns) return Float32Array.from(row)
    const message = `Invalid 'rows[${i}]': expected ${columns} numbers, as '${id}' has columns, got ${row.length}.`
    throw new ApiError('invalid_value', message, { param: `rows[${i}]` })
  })
  return { items, shape }
}

/** @throws ApiError 400 if so many of a model's images are more than one request may have */
export function checkSamples(count: number, shape: ImageShape, param: string): void {
  const most = Math.floor(LIMITS.samples / samplesOf(shape))
  if (count <= most) return
  const message = `Invalid '${param}': expected at most ${most} images of ${samplesOf(shape)} samples each, got ${count}.`
  throw new ApiError('invalid_value', message, { param })
}

function wrongInput(id: string, given: string, wanted: string): ApiError {
  return new ApiError('invalid_value', `The model '${id}' takes '${wanted}', not '${given}'.`, { param: given })
}

/** @param does what the model would have to do, as in 'decodes latents' */
export function wrongFamily(id: string, does: string): ApiError {
  return new ApiError('invalid_value', `Invalid 'model': expected one that ${does}, got '${id}'.`, { param: 'model' })
}
