/**
 * `POST /v1/completions`: bare text, or tokens, to be gone on with. OpenAI's request
 * (https://platform.openai.com/docs/api-reference/completions/create), with what is not served refused by name.
 */
import * as v from 'valibot'
import { chatTimingsSchema, chatUsageSchema, finishReasonSchema } from './chat.ts'
import { LIMITS } from './limits.ts'
import { samplingFields, tokenLimitSchema } from './sampling.ts'
import { textSchema, UNSUPPORTED } from './text.ts'

const tokensSchema = v.pipe(
  v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
  v.minLength(1),
  v.maxLength(LIMITS.maxTokens),
)

const honoured = {
  model: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  /** One or several, each as text or as tokens. */
  prompt: v.union([
    textSchema,
    tokensSchema,
    v.pipe(v.array(textSchema), v.minLength(1), v.maxLength(LIMITS.answers)),
    v.pipe(v.array(tokensSchema), v.minLength(1), v.maxLength(LIMITS.answers)),
  ]),
  ...samplingFields,
  /** Of the likeliest tokens, how many to report. */
  logprobs: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(5))),
  /** The prompt comes first in the answer. */
  echo: v.nullish(v.boolean(), false),
  max_tokens: tokenLimitSchema,
}
const inert = { user: v.optional(v.string()) }
const refused = {
  best_of: v.nullish(v.literal(1, UNSUPPORTED)),
  suffix: v.nullish(v.literal('', UNSUPPORTED)),
}

/** How each parameter is treated; `docs/compatibility.md` is checked against it. */
export const COMPLETION_PARAMETERS = {
  honoured: Object.keys(honoured),
  inert: Object.keys(inert),
  refused: Object.keys(refused),
} as const

export const completionRequestSchema = v.strictObject({ ...honoured, ...inert, ...refused })
export type CompletionRequest = v.InferOutput<typeof completionRequestSchema>

export const completionLogprobsSchema = v.strictObject({
  tokens: v.array(v.string()),
  token_logprobs: v.array(v.number()),
  top_logprobs: v.array(v.record(v.string(), v.number())),
  text_offset: v.array(v.number()),
})

/** Also what streams, piece by piece. */
export const completionSchema = v.strictObject({
  id: v.string(),
  object: v.literal('text_completion'),
  created: v.number(),
  model: v.string(),
  system_fingerprint: v.string(),
  choices: v.array(
    v.strictObject({
      index: v.number(),
      text: v.string(),
      logprobs: v.nullable(completionLogprobsSchema),
      finish_reason: v.nullable(finishReasonSchema),
    }),
  ),
  usage: v.optional(v.nullable(chatUsageSchema)),
  timings: v.optional(chatTimingsSchema),
})
export type Completion = v.InferOutput<typeof completionSchema>
