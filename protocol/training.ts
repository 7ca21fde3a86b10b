/**
 * `/v1/fine_tuning/jobs`: OpenAI's shapes for jobs that train a model here.
 *
 * https://platform.openai.com/docs/api-reference/fine-tuning. Ours: the types of `method`, `model` as the name of what is
 * trained, `order` of events, `data` of events, `samples` in them.
 */
import * as v from 'valibot'
import { metadataSchema } from './metadata.ts'
import { publishedIdSchema } from './published-model.ts'
import { UNSUPPORTED } from './text.ts'
import { trainingMethodSchema } from './training-method.ts'

export { type TrainingMethod, trainingMethodSchema } from './training-method.ts'

/** What can be trained anew. A `denoiser` is an autoencoder whose objective is `denoise`. */
export const TRAINED = ['vae', 'autoencoder', 'denoiser', 'gan', 'translation'] as const
/** One of these; or, by the method `translation`, a model that translates, which is tuned. */
const trainedSchema = v.union([v.picklist(TRAINED), publishedIdSchema])
const fileId = v.pipe(v.string(), v.regex(/^file-[a-zA-Z0-9]{1,64}$/, 'must be the id of a file: file-…'))

export const jobCreateSchema = v.strictObject({
  model: trainedSchema,
  training_file: fileId,
  validation_file: v.nullish(fileId),
  method: trainingMethodSchema,
  /** Part of the finished model's name. */
  suffix: v.nullish(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 of a-z, A-Z, 0-9, _ and -'))),
  seed: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1))),
  metadata: v.nullish(metadataSchema),
  integrations: v.nullish(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED))),
  /** OpenAI's older place for what `method` has. */
  hyperparameters: v.optional(v.undefined(UNSUPPORTED)),
})
export type JobCreate = v.InferOutput<typeof jobCreateSchema>

export const jobStatusSchema = v.picklist([
  'validating_files',
  'queued',
  'running',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
])
export type JobStatus = v.InferOutput<typeof jobStatusSchema>

export const jobErrorSchema = v.strictObject({
  code: v.string(),
  message: v.string(),
  /** `training_file`, `validation_file`, or null. */
  param: v.nullable(v.string()),
})
export type JobError = v.InferOutput<typeof jobErrorSchema>

/** All times are Unix seconds. */
export const jobSchema = v.strictObject({
  id: v.string(),
  object: v.literal('fine_tuning.job'),
  created_at: v.number(),
  status: jobStatusSchema,
  model: v.string(),
  method: trainingMethodSchema,
  /** Those of `method` that OpenAI has. */
  hyperparameters: v.record(v.string(), v.union([v.number(), v.literal('auto')])),
  training_file: v.string(),
  validation_file: v.nullable(v.string()),
  seed: v.number(),
  metadata: v.nullable(metadataSchema),
  integrations: v.array(v.never()),
  organization_id: v.string(),
  /** The finished model: `ft:vae:suffix:…`. */
  fine_tuned_model: v.nullable(v.string()),
  /** The last sheet of samples, and a table of the metrics. */
  result_files: v.array(v.string()),
  trained_tokens: v.null(),
  estimated_finish: v.nullable(v.number()),
  finished_at: v.nullable(v.number()),
  error: v.nullable(jobErrorSchema),
})
export type Job = v.InferOutput<typeof jobSchema>

/** Parts of a loss, or metrics, by name. */
export const numbersSchema = v.record(v.pipe(v.string(), v.maxLength(64)), v.number())
export const stepSchema = v.pipe(v.number(), v.integer(), v.minValue(0))
export const progressSchema = v.strictObject({
  step: stepSchema,
  total_steps: stepSchema,
  epoch: stepSchema,
  train: numbersSchema,
  samples_per_second: v.number(),
  seconds_left: v.number(),
})
export const validationSchema = v.strictObject({ step: stepSchema, valid: numbersSchema })
/** The id of a PNG file, read by `GET /v1/files/{id}/content`. */
const samplesSchema = v.strictObject({ step: stepSchema, samples: v.string() })
export const metricsSchema = v.union([progressSchema, validationSchema, samplesSchema])
export type JobMetrics = v.InferOutput<typeof metricsSchema>

export const jobEventSchema = v.strictObject({
  id: v.string(),
  object: v.literal('fine_tuning.job.event'),
  created_at: v.number(),
  level: v.picklist(['info', 'warn', 'error']),
  message: v.string(),
  type: v.picklist(['message', 'metrics']),
  /** Of metrics: about each second, after a validation, and with a sheet of samples. */
  data: v.nullable(metricsSchema),
})
export type JobEvent = v.InferOutput<typeof jobEventSchema>

export const checkpointSchema = v.strictObject({
  id: v.string(),
  object: v.literal('fine_tuning.job.checkpoint'),
  created_at: v.number(),
  fine_tuning_job_id: v.string(),
  /** The finished model, of the last checkpoint of a job that succeeded; others are what it goes on from, and no models. */
  fine_tuned_model_checkpoint: v.string(),
  metrics: v.record(v.string(), v.number()),
  step_number: v.number(),
})
export type JobCheckpoint = v.InferOutput<typeof checkpointSchema>

const limit = (preset: string, most: number) =>
  v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number), v.integer(), v.minValue(1), v.maxValue(most)),
    preset,
  )
const after = v.optional(v.pipe(v.string(), v.maxLength(100)))
/** `?limit&after&metadata[name]=value`, newest first. */
export const jobQuerySchema = v.strictObject({ limit: limit('20', 100), after, metadata: v.optional(metadataSchema) })
/** Ours is `order`: `asc` with the last id known gives what is new. */
export const eventQuerySchema = v.strictObject({
  limit: limit('20', 1_000),
  after,
  order: v.optional(v.picklist(['asc', 'desc']), 'desc'),
})
export type EventQuery = v.InferOutput<typeof eventQuerySchema>
export const checkpointQuerySchema = v.strictObject({ limit: limit('10', 100), after })
export type CheckpointQuery = v.InferOutput<typeof checkpointQuerySchema>

const listOf = <Schema extends v.GenericSchema>(data: Schema) =>
  v.strictObject({
    object: v.literal('list'),
    data: v.array(data),
    first_id: v.nullable(v.string()),
    last_id: v.nullable(v.string()),
    has_more: v.boolean(),
  })
export const jobListSchema = listOf(jobSchema)
export const eventListSchema = listOf(jobEventSchema)
export const checkpointListSchema = listOf(checkpointSchema)
