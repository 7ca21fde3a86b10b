/** `POST /internal/runners`: how a runner tells the edge that it is there, how it is and how much it has to do. */
import * as v from 'valibot'
import { endedGenerationSchema } from './bill.ts'
import { runnerModelSchema } from './generation.ts'

/** Between heartbeats, in milliseconds. */
export const HEARTBEAT_MS = 2_000
/** A runner that has said nothing for so long is gone. */
export const GONE_MS = 6_000

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
export const heartbeatSchema = v.strictObject({
  /** Made anew at each start of a runner. */
  id: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-]{1,64}$/)),
  /** Where the edge reaches it. */
  url: v.pipe(v.string(), v.url(), v.maxLength(512), v.regex(/^https?:\/\//)),
  /** `draining`: it ends what it has, and takes nothing more. */
  status: v.picklist(['starting', 'ok', 'draining']),
  device: v.pipe(v.string(), v.maxLength(64)),
  /** Those that it can be asked for. */
  models: v.pipe(v.array(runnerModelSchema), v.maxLength(256)),
  /** Ids of those that are loaded. */
  loaded: v.pipe(v.array(v.pipe(v.string(), v.maxLength(256))), v.maxLength(256)),
  load: v.strictObject({ running: count, waiting: count, slots: count }),
})
export type Heartbeat = v.InferOutput<typeof heartbeatSchema>

/** Ended generations that one heartbeat tells of. */
export const MOST_TOLD = 1000
/** What a runner posts. An answer of 204 says that the ended generations have been written down. */
export const runnerReportSchema = v.strictObject({
  ...heartbeatSchema.entries,
  ended: v.optional(v.pipe(v.array(endedGenerationSchema), v.maxLength(MOST_TOLD)), []),
})
export type RunnerReport = v.InferInput<typeof runnerReportSchema>
