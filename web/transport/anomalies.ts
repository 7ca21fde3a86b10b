/** `POST /v1/anomalies`. */
import * as v from 'valibot'
import type { Http } from './http.ts'
import type { Encodable } from './latents.ts'

const columnShareSchema = v.object({ column: v.string(), share: v.number() })
const tileShareSchema = v.object({
  x: v.number(),
  y: v.number(),
  width: v.number(),
  height: v.number(),
  share: v.number(),
})
export type TileShare = v.InferOutput<typeof tileShareSchema>
const anomalySchema = v.object({
  score: v.number(),
  is_anomaly: v.boolean(),
  severity: v.number(),
  contributions: v.union([v.array(columnShareSchema), v.array(tileShareSchema)]),
})
export type Anomaly = v.InferOutput<typeof anomalySchema>
const answerSchema = v.object({ threshold: v.number(), data: v.array(anomalySchema) })
export type Anomalies = v.InferOutput<typeof answerSchema>

/** @throws RequestFailure */
export function scoreAnomalies(http: Http, model: string, given: Encodable, signal: AbortSignal): Promise<Anomalies> {
  return http.json(answerSchema, 'POST', '/v1/anomalies', { body: { model, ...given }, signal })
}
