/**
 * `/internal/jobs…`: how a runner takes a training job from the edge, tells how it goes, and gives it back. A lease holds
 * for a while after each report; its token goes with everything that is done under it, and is refused once another runner
 * has the job.
 */
import * as v from 'valibot'
import { anyPublishedSchema, modelFileSchema, publishedTranslationSchema } from './published-model.ts'
import { jobErrorSchema, numbersSchema, progressSchema, stepSchema, validationSchema } from './training.ts'
import { trainingMethodSchema } from './training-method.ts'

/** A lease that is not renewed lasts so long, in milliseconds. */
export const LEASE_MS = 10_000
/** Between reports. */
export const REPORT_MS = 1_000
/** In one report. */
export const MOST_EVENTS = 200

const sha256 = modelFileSchema.entries.sha256
const bytes = v.pipe(v.number(), v.integer(), v.minValue(0))
const token = v.pipe(v.number(), v.integer(), v.minValue(1))

export const leaseRequestSchema = v.strictObject({
  /** The runner's, made anew at each of its starts. */
  runner: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-]{1,64}$/)),
})

const dataFileSchema = v.strictObject({ id: v.string(), filename: v.string(), bytes })
const heldCheckpointSchema = v.strictObject({ sha256, bytes, step: stepSchema })
export const leasedJobSchema = v.strictObject({
  id: v.string(),
  token,
  model: v.string(),
  method: trainingMethodSchema,
  seed: v.number(),
  owner: v.string(),
  /** What is tuned; null for a new model. */
  base: v.nullable(publishedTranslationSchema),
  /** What the finished model is called. */
  model_id: v.string(),
  training_file: dataFileSchema,
  validation_file: v.nullable(dataFileSchema),
  /** Where another runner left off. */
  checkpoint: v.nullable(heldCheckpointSchema),
})
export type LeasedJob = v.InferOutput<typeof leasedJobSchema>

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(2_000))
const fileId = v.pipe(v.string(), v.regex(/^file-[a-zA-Z0-9]{1,64}$/))
export const runnerEventSchema = v.variant('type', [
  v.strictObject({ type: v.literal('message'), level: v.picklist(['info', 'warn']), message: text }),
  v.strictObject({ type: v.literal('progress'), ...progressSchema.entries }),
  v.strictObject({ type: v.literal('validation'), ...validationSchema.entries }),
  v.strictObject({ type: v.literal('samples'), step: stepSchema, samples: fileId }),
])
export type RunnerEvent = v.InferOutput<typeof runnerEventSchema>

/** Of a checkpoint that lies in the object store. */
const newCheckpointSchema = v.strictObject({ ...heldCheckpointSchema.entries, metrics: numbersSchema })
export type NewCheckpoint = v.InferOutput<typeof newCheckpointSchema>

const report = {
  token,
  /** The number of the first of these events within the lease, so that what is told twice is taken once. */
  from: v.pipe(v.number(), v.integer(), v.minValue(0)),
  events: v.pipe(v.array(runnerEventSchema), v.maxLength(MOST_EVENTS)),
  checkpoint: v.optional(newCheckpointSchema),
}
export const reportSchema = v.strictObject(report)
export type Report = v.InferOutput<typeof reportSchema>
/** `stop`: it is to keep a checkpoint, and give the job back. */
export const wishSchema = v.strictObject({ wish: v.picklist(['go', 'stop']) })

export const outcomeSchema = v.variant('type', [
  /** Its files lie in the object store. */
  v.strictObject({ type: v.literal('succeeded'), manifest: anyPublishedSchema }),
  /** `again`: another attempt may do better. */
  v.strictObject({ type: v.literal('failed'), error: jobErrorSchema, again: v.boolean() }),
  /** As it was told to, or because the runner stops. */
  v.strictObject({ type: v.literal('stopped') }),
])
export const endSchema = v.strictObject({ ...report, outcome: outcomeSchema })
export type EndReport = v.InferOutput<typeof endSchema>

/** Where a runner puts what a job makes. */
export const objectKindSchema = v.picklist(['checkpoints', 'models', 'samples'])
export type ObjectKind = v.InferOutput<typeof objectKindSchema>
/** Of a sheet of samples: the file that it became. */
export const sampleFileSchema = v.strictObject({ id: fileId })
