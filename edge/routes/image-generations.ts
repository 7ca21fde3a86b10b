/**
 * `POST /v1/images/generations`. A GAN draws on a runner, a VAE here. Where the default model finds no runner, a VAE of
 * the same pictures stands in for it, and the answer says so.
 */
import { ApiError } from '#protocol/error.ts'
import {
  type GeneratedImage,
  generatedImagesSchema,
  type ImageRequest,
  imageRequestSchema,
} from '#protocol/image-generations.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { ModelParts, PublishedModel } from '#protocol/published-model.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readBody } from '../http/body.ts'
import { idempotent } from '../http/idempotent.ts'
import { toBase64 } from '../images/base64.ts'
import { type ImageShape, imageFromBase64, imageToPng } from '../images/pixels.ts'
import { told } from '../images/stored-images.ts'
import { itemShape, wrongFamily } from '../inference/inputs.ts'
import { decodeItems, encode } from '../inference/latents.ts'
import { conditionsFor, drawLatents } from '../inference/prior.ts'
import { publishedModels } from '../inference/published-models.ts'
import { randomSeed } from '../inference/random-seed.ts'
import { serve } from '../inference/serve.ts'
import { Runners } from '../runners/runners.ts'
import { INFERENCE_ERRORS, type Operation } from './operation.ts'

/** What is asked when no model is named, and what draws when no runner is there to do it. */
const DEFAULT_MODEL = 'emoji-gan'
const STAND_IN = 'emoji-vae'
/** In whose latent space pictures are that a GAN drew. */
const LATENTS_OF = 'emoji-vae'
const AWAY = new Set(['runner_unavailable', 'runner_timeout'])

type Gan = Extract<ModelParts, { family: 'gan' }>
type Vae = Extract<ModelParts, { family: 'vae' }>

export const imageGenerationOperation: Operation = {
  method: 'POST',
  path: '/v1/images/generations',
  scope: 'images',
  tag: 'Images',
  summary: 'Draw pictures',
  description:
    'OpenAI’s. Without a runner, the default model is stood in for by a smaller one at the edge: `degraded` is true then, and `x-served-by` is `edge`.',
  body: imageRequestSchema,
  answer: { description: 'The pictures, in the order of their seeds', schema: generatedImagesSchema },
  errors: [
    ...INFERENCE_ERRORS,
    'runner_unavailable',
    'runner_timeout',
    'queue_full',
    'idempotency_key_reused',
    'request_in_flight',
  ],
  example: { prompt: 'a smiling cat', n: 4, seed: 7 },
  async handle(c) {
    const request = await readBody(c.req.raw, imageRequestSchema)
    return idempotent(c, request, () => generate(c, request))
  },
}

interface Drawn {
  readonly model: string
  readonly by: 'edge' | 'runner'
  readonly data: GeneratedImage[]
}

async function generate(c: EdgeContext, request: ImageRequest): Promise<Response> {
  const first = request.seed ?? randomSeed()
  const seeds = Array.from({ length: request.n }, (_, i) => (first + i) % 2 ** 32)
  let by: Drawn['by'] = 'edge'
  const response = await serve(c, request.model, async (asked) => {
    const drawn = await draw(c, asked, request, seeds)
    by = drawn.by
    const created = Math.floor(c.get('startedAt') / 1000)
    const degraded = drawn.model === asked.id ? {} : { degraded: true }
    return { created, model: drawn.model, seed: first, ...degraded, data: drawn.data }
  })
  response.headers.set('x-served-by', by)
  return response
}

async function draw(
  c: EdgeContext,
  model: PublishedModel,
  request: ImageRequest,
  seeds: readonly number[],
): Promise<Drawn> {
  const { parts } = model
  if (parts.family === 'vae') return drawHere(c, model, parts, request, seeds)
  if (parts.family !== 'gan') throw wrongFamily(model.id, 'draws images')
  try {
    return await drawOnRunner(c, model, parts, request, seeds)
  } catch (away) {
    // A WebP is worth waiting for a runner: nothing here writes one.
    const standsIn = model.id === DEFAULT_MODEL && request.output_format === 'png'
    if (!standsIn || !(away instanceof ApiError) || !AWAY.has(away.code)) throw away
    const other = await publishedModels.find(c, principalOf(c).owner, STAND_IN)
    if (other.parts.family !== 'vae') throw away
    return drawHere(c, other, other.parts, request, seeds)
  }
}

async function drawOnRunner(
  c: EdgeContext,
  model: PublishedModel,
  { input, latents, conditions, generator }: Gan,
  request: ImageRequest,
  seeds: readonly number[],
): Promise<Drawn> {
  const { prompt, response_format, output_format: format } = request
  const scale = scaleFor(model.id, input, request)
  // What cannot be asked for is refused before a runner is asked.
  conditionsFor(model.id, conditions, prompt, seeds)
  const work = { generator, input, latents, conditions, prompt, seeds: [...seeds], scale, format }
  const files = async () => new Runners(c.env, c.get('requestId')).draw(work, c.req.raw.signal)
  if (response_format !== 'latents') {
    const data = (await files()).map((file) => told(c, { file, format }, response_format))
    return { model: model.id, by: 'runner', data: await Promise.all(data) }
  }
  const space = await latentSpace(c, model.id, input)
  const items = (await files()).map((file) =>
    imageFromBase64(file, input, 'image').catch((cause: unknown) => {
      throw new ApiError('runner_failed', 'The runner answered with what is no picture of the model.', { cause })
    }),
  )
  const encoded = await encode(c, space, { items: await Promise.all(items), shape: itemShape(input) }, () => 0)
  return { model: model.id, by: 'runner', data: encoded.map(({ mean }) => ({ latents: mean, model: space.id })) }
}

async function drawHere(
  c: EdgeContext,
  model: PublishedModel,
  vae: Vae,
  request: ImageRequest,
  seeds: readonly number[],
): Promise<Drawn> {
  const { prompt, response_format, output_format } = request
  if (output_format !== 'png') {
    const message = `Unsupported: 'output_format' = "${output_format}" with '${model.id}', which draws at the edge, where PNGs alone are written.`
    throw new ApiError('unsupported_parameter', message, { param: 'output_format' })
  }
  const scale = scaleFor(model.id, vae.input, request)
  const points = await drawLatents(c, model, vae, { prompt, seeds })
  if (response_format === 'latents') {
    return { model: model.id, by: 'edge', data: points.map((latents) => ({ latents, model: model.id })) }
  }
  const items = await decodeItems(c, model, points)
  const data = await Promise.all(
    items.map(async (planes) => {
      const file = toBase64(await imageToPng(planes, vae.input, scale))
      return told(c, { file, format: output_format }, response_format)
    }),
  )
  return { model: model.id, by: 'edge', data }
}

/**
 * How many pixels wide and high each of the model's own becomes.
 * @throws ApiError 400 if the size is no whole multiple of the model's, or too large
 */
function scaleFor(id: string, { width, height }: ImageShape, { size, response_format, output_format }: ImageRequest) {
  const own = `${width}x${height}`
  const latents = response_format === 'latents'
  if (latents && output_format !== 'png') {
    const message = `Unsupported: 'output_format' = "${output_format}" with 'response_format' = "latents", which gives no file.`
    throw new ApiError('unsupported_parameter', message, { param: 'output_format' })
  }
  if (size === 'auto' || size === own) return 1
  const [wide = 0, high = 0] = size.split('x').map(Number)
  const scale = wide / width
  const fits = Number.isInteger(scale) && scale >= 1 && high === height * scale
  if (fits && !latents && Math.max(wide, high) <= LIMITS.imageSide) return scale
  const rest = latents ? ', for latents' : ` or a whole multiple of it up to ${LIMITS.imageSide} pixels`
  throw new ApiError('invalid_value', `Invalid 'size': expected '${own}', as '${id}' has it,${rest}, got '${size}'.`, {
    param: 'size',
  })
}

/** @throws ApiError 400 if the pictures are not of the VAE's size, 404 if it is not there */
async function latentSpace(c: EdgeContext, id: string, { width, height }: ImageShape): Promise<PublishedModel> {
  const vae = await publishedModels.find(c, principalOf(c).owner, LATENTS_OF)
  const { input } = vae.parts
  if (input.kind === 'images' && input.width === width && input.height === height) return vae
  const message = `Invalid 'response_format': '${id}' draws ${width} × ${height} pixels, which are no picture of '${LATENTS_OF}', in whose space latents are.`
  throw new ApiError('invalid_value', message, { param: 'response_format' })
}
