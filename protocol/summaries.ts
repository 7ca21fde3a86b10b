/** `POST /v1/summaries`: a text in fewer words, each sentence with the places in the text that it comes from. Ours. */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { textSchema, UNSUPPORTED } from './text.ts'

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most))

export const summaryRequestSchema = v.strictObject({
  /** What the sentences are compared by. */
  model: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(256)), 'text-embedding'),
  input: v.pipe(textSchema, v.minLength(1)),
  length: v.optional(
    v.union([
      v.strictObject({ sentences: count(LIMITS.summarySentences) }),
      v.strictObject({ words: count(LIMITS.summaryWords) }),
    ]),
    { sentences: 3 },
  ),
  /** `extractive`: made of the text's own sentences. */
  style: v.optional(v.picklist(['extractive', 'abstractive']), 'extractive'),
  /** BCP 47; how sentences and words are told apart. */
  language: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8}){0,3}$/)), 'en'),
  stream: v.optional(v.literal(false, UNSUPPORTED), false),
})
export type SummaryRequest = v.InferOutput<typeof summaryRequestSchema>

/** UTF-16 code units of the input. */
const spanSchema = v.strictObject({ start: v.number(), end: v.number() })
export const summaryAnswerSchema = v.strictObject({
  id: v.string(),
  object: v.literal('summary'),
  model: v.string(),
  summary: v.string(),
  sentences: v.array(v.strictObject({ text: v.string(), source: v.array(spanSchema) })),
  usage: v.strictObject({ prompt_tokens: v.number(), completion_tokens: v.number(), total_tokens: v.number() }),
  /** No runner was there: sentences were compared by their words. */
  degraded: v.optional(v.literal(true)),
})
export type SummaryAnswer = v.InferOutput<typeof summaryAnswerSchema>
