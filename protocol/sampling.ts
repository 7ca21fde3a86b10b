/** What OpenAI's chat completions and its completions have in common, and what we add to both. */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { LONE_SURROGATE, textSchema, UNSUPPORTED } from './text.ts'

export const tokenLimitSchema = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIMITS.maxTokens)))
const stopStringSchema = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(LIMITS.stopLength),
  v.check((text) => text.isWellFormed(), LONE_SURROGATE),
)

/** By token id. */
const logitBiasSchema = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^\d{1,7}$/, 'must be token ids')),
    v.pipe(v.number(), v.minValue(-100), v.maxValue(100)),
  ),
  v.maxEntries(LIMITS.logitBias),
)

export const samplingFields = {
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(
    v.strictObject({
      include_usage: v.optional(v.boolean(), false),
      include_obfuscation: v.optional(v.literal(false, UNSUPPORTED)),
    }),
  ),
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(2)), 1),
  top_p: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1),
  /** Ours: sample from this many most likely tokens; 0 is no limit. */
  top_k: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LIMITS.maxTokens)), 0),
  /** Ours: leave out tokens less likely than this share of the likeliest; 0 is no limit. */
  min_p: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0),
  /** Ours: locally typical sampling; 1 is no limit. */
  typical_p: v.nullish(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
  frequency_penalty: v.nullish(v.pipe(v.number(), v.minValue(-2), v.maxValue(2)), 0),
  presence_penalty: v.nullish(v.pipe(v.number(), v.minValue(-2), v.maxValue(2)), 0),
  /** Ours: divides the logits of tokens that were there before; 1 is none. */
  repetition_penalty: v.nullish(v.pipe(v.number(), v.gtValue(0), v.maxValue(10)), 1),
  logit_bias: v.nullish(logitBiasSchema),
  /** Ours: end tokens do not end an answer that is shorter. */
  min_tokens: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LIMITS.maxTokens)), 0),
  /** Ours: end tokens do not end an answer at all. */
  ignore_eos: v.nullish(v.boolean(), false),
  /** Ours: a regular expression that the whole answer matches. */
  regex: v.nullish(v.pipe(textSchema, v.minLength(1), v.maxLength(LIMITS.regexLength))),
  n: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIMITS.answers)), 1),
  stop: v.nullish(v.union([stopStringSchema, v.pipe(v.array(stopStringSchema), v.maxLength(LIMITS.stopStrings))])),
  seed: v.nullish(v.pipe(v.number(), v.safeInteger())),
}
