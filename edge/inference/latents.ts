/** What goes into a model's latent space, and what comes out of it. */
import { ApiError } from '#protocol/error.ts'
import type { Decoded, Latent } from '#protocol/latents.ts'
import type { ModelFile, PublishedModel } from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import { type ImageShape, imageToBase64 } from '../images/pixels.ts'
import { checkSamples, type Encodable, itemShape, wrongFamily } from './inputs.ts'
import { joined, pieces } from './pieces.ts'
import { publishedModels } from './published-models.ts'
import { elementsOf } from './tensor.ts'

interface Decoder {
  readonly file: ModelFile
  readonly latents: number
  /** Of one output, after the number of them. */
  readonly shape: readonly number[]
  /** Null for one of rows. */
  readonly image: ImageShape | null
}

/** @throws ApiError 400 if the model decodes nothing */
function decoderOf({ id, parts }: PublishedModel): Decoder {
  if (parts.family === 'gan' && !parts.conditions) {
    return { file: parts.generator, latents: parts.latents, shape: itemShape(parts.input), image: parts.input }
  }
  if (parts.family !== 'vae' && parts.family !== 'autoencoder') throw wrongFamily(id, 'decodes latents')
  const image = parts.input.kind === 'images' ? parts.input : null
  return { file: parts.decoder, latents: parts.latents, shape: itemShape(parts.input), image }
}

/**
 * Latents to images or rows, in order.
 * @param latents [n][latents]
 * @param param by which an error names them
 * @throws ApiError 400 if the model decodes none, if they are of another length than its own, or too many for its images
 */
export async function decode(
  c: EdgeContext,
  model: PublishedModel,
  latents: readonly (readonly number[])[],
  param: (i: number) => string = (i) => `latents[${i}]`,
): Promise<Decoded[]> {
  const { image } = decoderOf(model)
  const items = await decodeItems(c, model, latents, param)
  if (!image) return items.map((row) => ({ row: [...row] }))
  return Promise.all(items.map(async (planes) => ({ b64_json: await imageToBase64(planes, image) })))
}

/** As `decode`, to what the model itself gives: images [channels, height, width], or rows. */
export async function decodeItems(
  c: EdgeContext,
  model: PublishedModel,
  latents: readonly (readonly number[])[],
  param: (i: number) => string = (i) => `latents[${i}]`,
): Promise<Float32Array[]> {
  const { file, latents: length, shape, image } = decoderOf(model)
  requireLatents(model, latents, param)
  const size = elementsOf(shape)
  if (image) checkSamples(latents.length, image, 'latents')
  const name = image ? 'images' : 'rows'
  const items: Float32Array[] = []
  for (const piece of pieces(latents, size)) {
    const inputs = { latents: { data: Float32Array.from(piece.flat()), shape: [piece.length, length] } }
    const wanted = { [name]: [piece.length, ...shape] }
    const { [name]: values = new Float32Array() } = await publishedModels.run(c, model, { file, inputs, wanted })
    for (let i = 0; i < piece.length; i++) items.push(values.subarray(i * size, (i + 1) * size))
  }
  return items
}

/** @throws ApiError 400 if the model has no latents, or of another length */
export function requireLatents<Latents extends readonly (readonly number[])[]>(
  { id, parts }: PublishedModel,
  latents: Latents,
  param: (i: number) => string = (i) => `latents[${i}]`,
): Latents {
  if (!('latents' in parts)) throw wrongFamily(id, 'has latents')
  for (const [i, latent] of latents.entries()) {
    if (latent.length === parts.latents) continue
    const message = `Invalid '${param(i)}': expected ${parts.latents} numbers, as '${id}' has latents, got ${latent.length}.`
    throw new ApiError('invalid_value', message, { param: param(i) })
  }
  return latents
}

/**
 * Images or rows to points of the latent space.
 * @param noise normal numbers, one after the other
 * @throws ApiError 400 if the model encodes none
 */
export async function encode(
  c: EdgeContext,
  model: PublishedModel,
  { items, shape }: Encodable,
  noise: () => number,
): Promise<Latent[]> {
  const { parts, id } = model
  if (parts.family !== 'vae' && parts.family !== 'autoencoder') throw wrongFamily(id, 'encodes')
  const found: Latent[] = []
  for (const piece of pieces(items, elementsOf(shape))) {
    const inputs = { [parts.input.kind]: { data: joined(piece), shape: [piece.length, ...shape] } }
    const wanted = [piece.length, parts.latents]
    if (parts.family === 'autoencoder') {
      const { mean } = await publishedModels.run(c, model, { file: parts.encoder, inputs, wanted: { mean: wanted } })
      for (let i = 0; i < piece.length; i++) {
        const point = rowOf(mean, i, parts.latents)
        found.push({ mean: point, log_variance: null, sample: point })
      }
      continue
    }
    const outputs = await publishedModels.run(c, model, {
      file: parts.encoder,
      inputs,
      wanted: { mean: wanted, log_variance: wanted },
    })
    for (let i = 0; i < piece.length; i++) {
      const mean = rowOf(outputs.mean, i, parts.latents)
      const logVariance = rowOf(outputs.log_variance, i, parts.latents)
      const sample = mean.map((value, k) => value + Math.exp((logVariance[k] ?? 0) / 2) * noise())
      found.push({ mean, log_variance: logVariance, sample })
    }
  }
  return found
}

function rowOf(values: Float32Array, i: number, length: number): number[] {
  return [...values.subarray(i * length, (i + 1) * length)]
}
