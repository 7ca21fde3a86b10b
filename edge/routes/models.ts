import { ApiError } from '#protocol/error.ts'
import type { RunnerModel } from '#protocol/generation.ts'
import { type Model, modelListSchema, modelSchema } from '#protocol/models.ts'
import type { EdgeContext } from '../context.ts'
import { Runners } from '../runners/runners.ts'
import type { Operation } from './operation.ts'

export const modelOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/v1/models',
    scope: 'models',
    tag: 'Models',
    summary: 'List the models',
    answer: { description: 'The models that can be asked', schema: modelListSchema },
    errors: ['runner_unavailable'],
    handle: async (c) => c.json({ object: 'list', data: await models(c) }),
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
      const model = (await models(c)).find((candidate) => candidate.id === id)
      if (!model) {
        throw new ApiError('model_not_found', `The model '${id?.slice(0, 100)}' does not exist.`, { param: 'model' })
      }
      return c.json(model)
    },
  },
]

async function models(c: EdgeContext): Promise<Model[]> {
  const known = await new Runners(c.env, c.get('requestId')).models()
  return known.map(toModel)
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
