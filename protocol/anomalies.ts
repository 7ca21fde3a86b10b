/** `POST /v1/anomalies`: how unlike its training data something is, by a model's threshold. Ours. */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'

const model = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
const number = v.pipe(v.number(), v.minValue(-LIMITS.magnitude), v.maxValue(LIMITS.magnitude))
const row = v.pipe(v.array(number), v.minLength(1), v.maxLength(1024))
/** Each a PNG in base64, or in a data URL. */
const images = v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1), v.maxLength(LIMITS.images))

export const anomalyRequestSchema = v.union([
  v.strictObject({ model, rows: v.pipe(v.array(row), v.minLength(1), v.maxLength(LIMITS.rows)) }),
  v.strictObject({ model, images }),
])

/** Shares of the error; those of one item sum to 1. */
const columnShareSchema = v.strictObject({ column: v.string(), share: v.number() })
/** Of a rectangle of pixels. */
const tileShareSchema = v.strictObject({
  x: v.number(),
  y: v.number(),
  width: v.number(),
  height: v.number(),
  share: v.number(),
})
export type ColumnShare = v.InferOutput<typeof columnShareSchema>
export type TileShare = v.InferOutput<typeof tileShareSchema>

export const anomalySchema = v.strictObject({
  /** The error of reconstruction. */
  score: v.number(),
  /** Whether the score is above the model's threshold. */
  is_anomaly: v.boolean(),
  /** From 0 to 1: the share of validation data that scored lower. */
  severity: v.number(),
  contributions: v.union([v.array(columnShareSchema), v.array(tileShareSchema)]),
})
export type Anomaly = v.InferOutput<typeof anomalySchema>

export const anomalyAnswerSchema = v.strictObject({
  model: v.string(),
  threshold: v.number(),
  data: v.array(anomalySchema),
})
