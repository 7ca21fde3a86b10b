/** Makes a training job: written down with the answer to its request, and then begun. */
import { ApiError } from '#protocol/error.ts'
import type { PublishedTranslation } from '#protocol/published-model.ts'
import { isOneOf } from '#protocol/text.ts'
import { type Job, type JobCreate, TRAINED } from '#protocol/training.ts'
import type { TrainingMethod } from '#protocol/training-method.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { idempotencyOf } from '../http/idempotency-of.ts'
import { findFile } from '../storage/files.ts'
import { answered, once } from '../storage/idempotency.ts'
import { findJob, newJob, requireFewJobs } from '../storage/jobs.ts'
import { newId } from '../storage/new-id.ts'
import { INITIAL, isGiven, type JobRecord } from './job-state.ts'
import { toJob } from './to-job.ts'
import { translationOf } from './translation-of.ts'

const MOST_SEED = 2 ** 31
const UNUSED_BY_DENOISER = ['latents', 'alarms', 'columns', 'label'] as const

/** @throws ApiError 400, 404 for a file that is not the owner's, 409, or 429 for too many jobs */
export async function createJob(c: EdgeContext, body: JobCreate): Promise<Job> {
  const { owner } = principalOf(c)
  const now = Date.now()
  const keyed = idempotencyOf(c, body, now)
  const earlier = await answered<Job>(c.env.DB, keyed)
  if (earlier) return begun(c, earlier)
  const { method, base } = await trainedBy(c, owner, body)
  await requireFile(c, owner, 'training_file', body.training_file)
  if (body.validation_file != null) await requireFile(c, owner, 'validation_file', body.validation_file)
  await requireFewJobs(c.env.DB, owner)
  const record: JobRecord = {
    id: newId('ftjob-'),
    owner,
    createdAt: now,
    model: body.model,
    base,
    method,
    seed: body.seed ?? Math.floor(Math.random() * MOST_SEED),
    suffix: body.suffix ?? null,
    metadata: body.metadata ?? null,
    trainingFile: body.training_file,
    validationFile: body.validation_file ?? null,
  }
  const job = toJob(record, INITIAL)
  try {
    return await begun(c, await once(c.env.DB, keyed, [newJob(c.env.DB, record, job)], job))
  } catch (error) {
    // Others were made at the same moment.
    await requireFewJobs(c.env.DB, owner)
    throw error
  }
}

/** It is there for good once it is written down; what begins it may come later. */
async function begun(c: EdgeContext, job: Job): Promise<Job> {
  const record = await findJob(c.env.DB, principalOf(c).owner, job.id)
  if (record) await c.env.JOBS.getByName(job.id).begin(JSON.stringify(record))
  return job
}

/** What is to be trained. @throws ApiError 400 for what does not go together, 404 for a model that is not there */
async function trainedBy(
  c: EdgeContext,
  owner: string,
  body: JobCreate,
): Promise<{ method: TrainingMethod; base: PublishedTranslation | null }> {
  const { model, method } = body
  if (method.type === 'translation') return translationOf(c.env, owner, model, method.translation)
  if (isOneOf(model, TRAINED)) return { method: methodOf(model, method), base: null }
  const message = `Invalid 'model': expected one of ${TRAINED.join(', ')} by the method '${method.type}', got '${model}'.`
  throw new ApiError('invalid_value', message, { param: 'model' })
}

/** Said once: a denoiser's objective is to denoise. @throws ApiError 400 if it is said otherwise */
function methodOf(model: string, method: JobCreate['method']): TrainingMethod {
  const type = model === 'denoiser' ? 'autoencoder' : model
  if (method.type !== type) {
    const message = `Invalid 'method.type': expected '${type}' for the model '${model}', got '${method.type}'.`
    throw new ApiError('invalid_value', message, { param: 'method.type' })
  }
  if (method.type !== 'autoencoder') return method
  const { hyperparameters } = method.autoencoder
  const unused = model === 'denoiser' && UNUSED_BY_DENOISER.find((name) => isGiven(hyperparameters[name]))
  if (unused) {
    const param = `method.autoencoder.hyperparameters.${unused}`
    throw new ApiError('unsupported_parameter', `Unsupported: '${param}', which a denoiser has not.`, { param })
  }
  const objective = model === 'denoiser' ? 'denoise' : 'anomaly'
  if (hyperparameters.objective !== 'auto' && hyperparameters.objective !== objective) {
    const param = 'method.autoencoder.hyperparameters.objective'
    const message = `Invalid '${param}': expected '${objective}' for the model '${model}', got '${hyperparameters.objective}'.`
    throw new ApiError('invalid_value', message, { param })
  }
  return { ...method, autoencoder: { hyperparameters: { ...hyperparameters, objective } } }
}

async function requireFile(c: EdgeContext, owner: string, param: string, id: string): Promise<void> {
  const file = await findFile(c.env.DB, owner, id, Date.now())
  if (!file) throw new ApiError('not_found', `There is no file '${id}'.`, { param })
  if (file.purpose === 'fine-tune') return
  const message = `Invalid '${param}': expected a file of the purpose 'fine-tune', got one of '${file.purpose}'.`
  throw new ApiError('invalid_value', message, { param })
}
