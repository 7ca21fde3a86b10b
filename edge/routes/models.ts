import { ApiError } from '#protocol/error.ts'
import type { RunnerModel } from '#protocol/generation.ts'
import { type Model, modelListSchema, modelSchema } from '#protocol/models.ts'
import type { ModelParts, PublishedModel } from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import { publishedModels } from '../inference/published-models.ts'
import { Runners } from '../runners/runners.ts'
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
      const id = c.req.param('id')
      const { models, away } = await allModels(c)
      const model = models.find((candidate) => candidate.id === id)
      if (!model) {
        if (away) throw away
        throw new ApiError('model_not_found', `The model '${id?.slice(0, 100)}' does not exist.`, { param: 'model' })
      }
      return c.json(model)
    },
  },
]

/** The models of the runners and at the edge; why the runners' are missing, if they are. */
async function allModels(c: EdgeContext): Promise<{ models: Model[]; away?: ApiError }> {
  const atEdge = publishedModels.list().map(toEdgeModel)
  try {
    const known = await new Runners(c.env, c.get('requestId')).models()
    return { models: [...known.map(toModel), ...atEdge] }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { models: atEdge, away: error }
  }
}

function toEdgeModel({ id, created, owner, parts, card }: PublishedModel): Model {
  return {
    id,
    object: 'model',
    created,
    owned_by: owner ?? 'tandem',
    task: parts.family,
    device: 'edge',
    input: parts.input,
    ...('latents' in parts ? { latents: parts.latents } : {}),
    ...withConditions(parts),
    ...(owner === null && 'decoder' in parts ? { decoder: parts.decoder } : {}),
    card,
  }
}

function withConditions(parts: ModelParts): Pick<Extract<Model, { card: unknown }>, 'conditions'> {
  const conditions =
    parts.family === 'gan' ? parts.conditions : parts.family === 'vae' ? parts.prior?.conditions : undefined
  return conditions ? { conditions } : {}
}

function toModel({ id, created, ownedBy, task, contextLength, fingerprint, device }: RunnerModel): Model {
  return {
    id,
    object: 'model',
    created,
    owned_by: ownedBy,
    task,
    context_length: contextLength,
    system_fingerprint: fingerprint,
    device,
  }
}
