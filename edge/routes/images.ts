/** `/v1/images…` that models at the edge answer: variations by a VAE, and noise taken away. */
import { normals } from '#models/random/normal.ts'
import { ApiError } from '#protocol/error.ts'
import {
  enhancementRequestSchema,
  imagesAnswerSchema,
  type VariationRequest,
  variationRequestSchema,
} from '#protocol/images.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { EdgeContext } from '../context.ts'
import { readBody, readForm } from '../http/body.ts'
import { idempotent } from '../http/idempotent.ts'
import { imageFromBase64, imageFromPng, imageToBase64 } from '../images/pixels.ts'
import { told } from '../images/stored-images.ts'
import { denoise } from '../inference/denoise.ts'
import { itemShape, wrongFamily } from '../inference/inputs.ts'
import { decodeItems, encode } from '../inference/latents.ts'
import { randomSeed } from '../inference/random-seed.ts'
import { serve } from '../inference/serve.ts'
import { vary } from '../inference/vary.ts'
import { sha256Of } from '../storage/secrets.ts'
import { INFERENCE_ERRORS, type Operation } from './operation.ts'

const common = { method: 'POST', scope: 'images', tag: 'Images', errors: INFERENCE_ERRORS } as const
const most = LIMITS.tensorBodyBytes

export const imageOperations: readonly Operation[] = [
  {
    ...common,
    path: '/v1/images/variations',
    summary: 'Vary an image',
    description: 'Images near the given one in a VAE’s latent space. The image is a PNG of the model’s size.',
    body: variationRequestSchema,
    bodyType: 'multipart/form-data',
    errors: [...INFERENCE_ERRORS, 'idempotency_key_reused', 'request_in_flight'],
    answer: { description: 'The variations, as PNGs', schema: imagesAnswerSchema },
    handle: variationsRoute,
  },
  {
    ...common,
    path: '/v1/images/enhancements',
    summary: 'Take the noise from an image',
    description: 'The image is a PNG of the model’s size.',
    body: enhancementRequestSchema,
    answer: { description: 'The image, as a PNG', schema: imagesAnswerSchema },
    example: { model: 'emoji-denoiser', task: 'denoise', image: 'iVBORw0KGgo…' },
    handle: enhancementsRoute,
  },
]

async function variationsRoute(c: EdgeContext): Promise<Response> {
  const request = await readForm(c.req.raw, variationRequestSchema, most)
  const keyed = { ...request, image: await sha256Of(new Uint8Array(request.image)) }
  return idempotent(c, keyed, () => variations(c, request))
}

async function variations(c: EdgeContext, request: VariationRequest): Promise<Response> {
  return serve(c, request.model, async (model) => {
    const { family, input } = model.parts
    if (family !== 'vae') throw wrongFamily(model.id, 'varies images')
    const own = `${input.width}x${input.height}`
    if (request.size !== undefined && request.size !== own) {
      const message = `Invalid 'size': expected '${own}', as '${model.id}' has it, got '${request.size}'.`
      throw new ApiError('invalid_value', message, { param: 'size' })
    }
    const item = await imageFromPng(request.image, input, 'image')
    const seed = request.seed ?? randomSeed()
    const noise = normals(seed)
    const [found] = await encode(c, model, { items: [item], shape: itemShape(input) }, noise)
    const latents = vary(found?.mean ?? [], { n: request.n, strength: request.strength, noise })
    const items = await decodeItems(c, model, latents)
    const data = await Promise.all(
      items.map(async (planes) => {
        const file = await imageToBase64(planes, input)
        return told(c, { file, format: 'png' }, request.response_format)
      }),
    )
    return { ...answerOf(c, model.id), seed, data }
  })
}

async function enhancementsRoute(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, enhancementRequestSchema, { most })
  return serve(c, request.model, async (model) => {
    const { parts } = model
    if (parts.family !== 'denoiser') throw wrongFamily(model.id, 'takes noise away')
    const image = await imageFromBase64(request.image, parts.input, 'image')
    return { ...answerOf(c, model.id), data: [{ b64_json: await denoise(c, model, parts, image) }] }
  })
}

const answerOf = (c: EdgeContext, model: string) => ({ created: Math.floor(c.get('startedAt') / 1000), model })
