/** `/v1/latents…`: encode, decode, interpolate and map, at the edge. */
import { normals } from '#models/random/normal.ts'
import { ApiError } from '#protocol/error.ts'
import {
  decodeAnswerSchema,
  decodeRequestSchema,
  encodeAnswerSchema,
  encodeRequestSchema,
  interpolateAnswerSchema,
  interpolateRequestSchema,
  mapAnswerSchema,
  mapRequestSchema,
} from '#protocol/latents.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { PublishedModel } from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import { readBody } from '../http/body.ts'
import { type Encodable, encodable, type Given } from '../inference/inputs.ts'
import { itemsOfFile } from '../inference/file-items.ts'
import { interpolate } from '../inference/interpolate.ts'
import { decode, encode, requireLatents } from '../inference/latents.ts'
import { principalPlane } from '../inference/principal-components.ts'
import { randomSeed } from '../inference/random-seed.ts'
import { serve } from '../inference/serve.ts'
import { INFERENCE_ERRORS, type Operation } from './operation.ts'

const common = { method: 'POST', scope: 'latents', tag: 'Latents', errors: INFERENCE_ERRORS } as const
const most = LIMITS.tensorBodyBytes

export const latentOperations: readonly Operation[] = [
  {
    ...common,
    path: '/v1/latents',
    summary: 'Encode images or rows',
    description: 'Where they lie in the model’s latent space, and a point drawn from there by the seed.',
    body: encodeRequestSchema,
    answer: { description: 'The latents, in order', schema: encodeAnswerSchema },
    example: { model: 'digits-vae', images: ['iVBORw0KGgo…'], seed: 1 },
    handle: encodeRoute,
  },
  {
    ...common,
    path: '/v1/latents/decode',
    summary: 'Decode latents',
    description: 'Each becomes a PNG, or a row of a table.',
    body: decodeRequestSchema,
    answer: { description: 'Images or rows, in order', schema: decodeAnswerSchema },
    example: { model: 'digits-vae', latents: [[0, 0.5]] },
    handle: decodeRoute,
  },
  {
    ...common,
    path: '/v1/latents/interpolate',
    summary: 'Go from one latent to another',
    description: 'Points at even steps, both ends among them, on a line or on an arc, and what each decodes to.',
    body: interpolateRequestSchema,
    answer: { description: 'The points, from one end to the other', schema: interpolateAnswerSchema },
    example: { model: 'digits-vae', from: [0, 0], to: [1, 1], steps: 8, method: 'linear' },
    handle: interpolateRoute,
  },
  {
    ...common,
    path: '/v1/latents/map',
    summary: 'Map a latent space',
    description:
      'A point in a plane for each latent, image or row, given or of an uploaded file: by its first two principal components, or by UMAP, which keeps together what is near.',
    body: mapRequestSchema,
    answer: { description: 'The points, in order', schema: mapAnswerSchema },
    example: {
      model: 'digits-vae',
      method: 'pca',
      latents: [
        [0, 0.5],
        [1, 0],
        [0.2, 0.4],
      ],
    },
    handle: mapRoute,
  },
]

async function encodeRoute(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, encodeRequestSchema, { most })
  return serve(c, request.model, async (model) => {
    const seed = request.seed ?? randomSeed()
    const data = await encode(c, model, await encodable(model, request), normals(seed))
    return { model: model.id, seed, data }
  })
}

async function decodeRoute(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, decodeRequestSchema, { most })
  return serve(c, request.model, async (model) => ({
    created: Math.floor(c.get('startedAt') / 1000),
    model: model.id,
    data: await decode(c, model, request.latents),
  }))
}

async function interpolateRoute(c: EdgeContext): Promise<Response> {
  const { model: id, from, to, steps, method } = await readBody(c.req.raw, interpolateRequestSchema, { most })
  if (from.length !== to.length) {
    const message = `Invalid 'to': expected ${from.length} numbers, as 'from' has, got ${to.length}.`
    throw new ApiError('invalid_value', message, { param: 'to' })
  }
  return serve(c, id, async (model) => {
    const points = interpolate(from, to, { steps, method })
    const decoded = await decode(c, model, points, () => 'from')
    return {
      created: Math.floor(c.get('startedAt') / 1000),
      model: model.id,
      data: points.map((latent, i) => ({ latent, ...decoded[i] })),
    }
  })
}

/** Below it there are no neighbours to speak of. */
const FEWEST_FOR_UMAP = 4

async function mapRoute(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, mapRequestSchema, { most })
  const { method, seed, neighbors } = request
  return serve(c, request.model, async (model) => {
    const given = 'file_id' in request ? await itemsOfFile(c, model, request.file_id) : request
    const file = 'indices' in given ? given : null
    const latents = await latentsOf(c, model, given)
    const answer = (points: readonly [number, number][]) => ({
      model: model.id,
      method,
      ...(file && { total: file.total }),
      data: points.map(([x, y], i) => ({
        x,
        y,
        ...(file && { index: file.indices[i] }),
        ...(file?.names && { name: file.names[i] }),
      })),
    })
    if (method === 'pca') {
      const { points, explained } = principalPlane(latents)
      return { ...answer(points), explained_variance: explained }
    }
    if (latents.length < FEWEST_FOR_UMAP) {
      const message = `Invalid 'method': UMAP needs at least ${FEWEST_FOR_UMAP} items, got ${latents.length}.`
      throw new ApiError('invalid_value', message, { param: 'method' })
    }
    const { umapPlane } = await import('../inference/umap.ts')
    return answer(await umapPlane(latents, { seed, neighbors }))
  })
}

/** Where images or rows lie, or what was given. */
async function latentsOf(
  c: EdgeContext,
  model: PublishedModel,
  given: { readonly latents: number[][] } | Given | Encodable,
): Promise<number[][]> {
  if ('latents' in given) return requireLatents(model, given.latents)
  const found = await encode(c, model, 'items' in given ? given : await encodable(model, given), () => 0)
  return found.map(({ mean }) => mean)
}
