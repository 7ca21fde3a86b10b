import { ApiError } from '#protocol/error.ts'
import type { RunnerModel } from '#protocol/generation.ts'
import { type Model, modelDeletedSchema, modelListSchema, modelSchema } from '#protocol/models.ts'
import {
  type AnyPublished,
  isTranslation,
  type ModelParts,
  type PublishedModel,
  type PublishedTranslation,
} from '#protocol/published-model.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { sweep } from '../files/sweep.ts'
import { publishedModels } from '../inference/published-models.ts'
import { Runners } from '../runners/runners.ts'
import { findModel, listModels, manifestKey, needsFile, removeModel } from '../storage/trained-models.ts'
import type { Operation } from './operation.ts'

export const modelOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/v1/models',
    scope: 'models',
    tag: 'Models',
    summary: 'List the models',
    description: 'Without a runner those at the edge, marked `degraded`, with Retry-After.',
    answer: { description: 'The models that can be asked', schema: modelListSchema },
    async handle(c) {
      const { models, away } = await allModels(c)
      if (!away) return c.json({ object: 'list', data: models })
      const again = away.retryAfter === undefined ? {} : { 'retry-after': String(away.retryAfter) }
      return c.json({ object: 'list', data: models, degraded: true }, 200, again)
    },
  },
  {
    method: 'GET',
    path: '/v1/models/{id}',
    scope: 'models',
    tag: 'Models',
    summary: 'Describe a model',
    answer: { description: 'The model', schema: modelSchema },
    errors: ['model_not_found', 'runner_unavailable'],
    async handle(c) {
      const id = c.req.param('id') ?? ''
      const { models, away } = await allModels(c)
      const model = models.find((candidate) => candidate.id === id)
      if (!model) {
        if (away) throw away
        throw missing(id)
      }
      return c.json(model)
    },
  },
  {
    method: 'GET',
    path: '/v1/models/{id}/files/{sha256}',
    scope: 'training',
    tag: 'Models',
    summary: 'Download a file of a model that was trained',
    answer: { description: 'The ONNX file', contentType: 'application/octet-stream' },
    errors: ['model_not_found', 'not_found'],
    handle: fileRoute,
  },
  {
    method: 'DELETE',
    path: '/v1/models/{id}',
    scope: 'training',
    tag: 'Models',
    summary: 'Delete a model that was trained',
    description: 'Elsewhere it may still answer for ten seconds.',
    answer: { description: 'It is deleted', schema: modelDeletedSchema },
    errors: ['model_not_found', 'not_yours_to_delete'],
    handle: deleteRoute,
  },
]

async function fileRoute(c: EdgeContext): Promise<Response> {
  const [id, sha256] = [c.req.param('id') ?? '', c.req.param('sha256') ?? '']
  if (!(await findModel(c.env.DB, principalOf(c).owner, id))) throw missing(id)
  const object = (await needsFile(c.env.DB, id, sha256)) ? await c.env.OBJECTS.get(`models/${sha256}`) : null
  if (!object) throw new ApiError('not_found', `The model '${id}' has no file '${sha256.slice(0, 64)}'.`)
  return new Response(object.body, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(object.size),
      // Its bytes never change; who may read them is for each to show.
      'cache-control': 'private, max-age=31536000, immutable',
    },
  })
}

async function deleteRoute(c: EdgeContext): Promise<Response> {
  const id = c.req.param('id') ?? ''
  const { owner } = principalOf(c)
  if (!(await findModel(c.env.DB, owner, id))) {
    const { models } = await allModels(c)
    const isCommon = models.some((model) => model.id === id)
    if (isCommon)
      throw new ApiError('not_yours_to_delete', `The model '${id}' was not trained by you.`, { param: 'model' })
    throw missing(id)
  }
  await c.env.OBJECTS.delete(manifestKey(id))
  publishedModels.forget(id)
  await removeModel(c.env.DB, id)
  await sweep(c.env)
  return c.json({ id, object: 'model', deleted: true })
}

const missing = (id: string): ApiError =>
  new ApiError('model_not_found', `The model '${id.slice(0, 100)}' does not exist.`, { param: 'model' })

/** The models of the runners and at the edge; why the runners' are missing, if they are. */
async function allModels(c: EdgeContext): Promise<{ models: Model[]; away?: ApiError }> {
  const own = await listModels(c.env.DB, principalOf(c).owner)
  const atEdge = [...publishedModels.list(), ...own].map(toTrainedModel)
  try {
    const known = await new Runners(c.env, c.get('requestId')).models()
    return { models: [...known.map(toModel), ...atEdge] }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { models: atEdge, away: error }
  }
}

const toTrainedModel = (model: AnyPublished): Model =>
  isTranslation(model) ? toTranslationModel(model) : toEdgeModel(model)

/** One that a runner loads when it is asked for. */
function toTranslationModel({ id, created, owner, parts, card }: PublishedTranslation): Model {
  return {
    id,
    object: 'model',
    created,
    owned_by: owner ?? 'tandem',
    task: 'translation',
    device: 'runner',
    context_length: parts.sourceLength,
    system_fingerprint: `fp_${parts.decoder.sha256.slice(0, 12)}`,
    source_language: parts.languages.source,
    target_language: parts.languages.target,
    card,
  }
}

function toEdgeModel({ id, created, owner, parts, card }: PublishedModel): Model {
  return {
    id,
    object: 'model',
    created,
    owned_by: owner ?? 'tandem',
    task: parts.family,
    device: parts.family === 'gan' ? 'runner' : 'edge',
    input: parts.input,
    ...('latents' in parts ? { latents: parts.latents } : {}),
    ...withConditions(parts),
    ...('decoder' in parts ? { decoder: parts.decoder } : {}),
    card,
  }
}

function withConditions(parts: ModelParts): Pick<Extract<Model, { card: unknown }>, 'conditions'> {
  const conditions =
    parts.family === 'gan' ? parts.conditions : parts.family === 'vae' ? parts.prior?.conditions : undefined
  return conditions ? { conditions } : {}
}

function toModel({ id, created, ownedBy, contextLength, fingerprint, ...rest }: RunnerModel): Model {
  return {
    id,
    object: 'model',
    created,
    owned_by: ownedBy,
    context_length: contextLength,
    system_fingerprint: fingerprint,
    ...rest,
  }
}
