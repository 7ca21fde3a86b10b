/** `/v1/scaling`: what decides how many runners there should be. */
import * as v from 'valibot'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

export const scalingSchema = v.strictObject({
  /** Requests that wait for a slot. */
  waiting: count,
  /** Requests that have one. */
  running: count,
  /** Requests that can run at once, in the models that are loaded. */
  slots: count,
  /** Runners that answer. */
  runners: count,
})
export type Scaling = v.InferOutput<typeof scalingSchema>
