/**
 * Whose account a generation goes on. An edge that may be killed in the middle of an answer sends it along; the runner
 * remembers what the generation used, and says so with its heartbeats until the edge has heard it. So what was said is
 * written down although nobody was left who had heard it.
 */
import * as v from 'valibot'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

export const billSchema = v.strictObject({
  /** The generation's, in the ledger. */
  id: name,
  /** The request's, of which the generation is one of so many. */
  request: name,
  of: v.pipe(count, v.minValue(1)),
  keyId: v.nullable(name),
  /** `/v1/chat/completions`. */
  route: name,
})
export type Bill = v.InferOutput<typeof billSchema>

/** What a generation with a bill has used, as its runner saw it. */
export const endedGenerationSchema = v.strictObject({
  bill: billSchema,
  owner: name,
  model: name,
  /** 0 if its turn never came. */
  promptTokens: count,
  /** Those that the runner said. */
  completionTokens: count,
  cachedTokens: count,
  /** Milliseconds since the epoch. */
  startedAt: count,
  endedAt: count,
  outcome: v.picklist(['completed', 'cancelled', 'failed']),
})
export type EndedGeneration = v.InferOutput<typeof endedGenerationSchema>
