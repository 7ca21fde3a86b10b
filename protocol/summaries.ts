/** `POST /v1/summaries`: a text in fewer words, each sentence with the places in the text that it comes from. Ours. */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { textSchema } from './text.ts'

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most))

export const summaryRequestSchema = v.strictObject({
  /** What compares the sentences, or writes new ones; by default the first of its kind that is there. */
  model: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(256))),
  /** The text, or a file of it that was uploaded: one of the two. */
  input: v.optional(v.pipe(textSchema, v.minLength(1))),
  file_id: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
  length: v.optional(
    v.union([
      v.strictObject({ sentences: count(LIMITS.summarySentences) }),
      v.strictObject({ words: count(LIMITS.summaryWords) }),
    ]),
    { sentences: 3 },
  ),
  /** `extractive`: made of the text's own sentences; `abstractive`: of a language model's, as far as the text supports them. */
  style: v.optional(v.picklist(['extractive', 'abstractive']), 'extractive'),
  /** BCP 47; how sentences and words are told apart. */
  language: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8}){0,3}$/, "must be the code of a language, such as 'en' or 'pt-BR'"),
    ),
    'en',
  ),
  /** Server-sent events: `summary.progress`, a `summary.sentence` each, the summary, `[DONE]`. */
  stream: v.optional(v.boolean(), false),
})
export type SummaryRequest = v.InferOutput<typeof summaryRequestSchema>

/** UTF-16 code units of the text. */
const spanSchema = v.strictObject({ start: v.number(), end: v.number() })
const sentenceSchema = v.strictObject({ text: v.string(), source: v.array(spanSchema) })
export type SummarySentence = v.InferOutput<typeof sentenceSchema>

export const summaryAnswerSchema = v.strictObject({
  id: v.string(),
  object: v.literal('summary'),
  model: v.string(),
  summary: v.string(),
  /** Of a file: its text, in which the places are. */
  input: v.optional(v.string()),
  sentences: v.array(sentenceSchema),
  usage: v.strictObject({ prompt_tokens: v.number(), completion_tokens: v.number(), total_tokens: v.number() }),
  /** Sentences that the model wrote and the text does not support: they are left out. Of abstractive ones. */
  unsupported: v.optional(v.number()),
  /** The text's own sentences, compared by their words: no runner was there, or nothing that was written had support. */
  degraded: v.optional(v.literal(true)),
})
export type SummaryAnswer = v.InferOutput<typeof summaryAnswerSchema>

/** What a stream has before its last event, which is the answer. */
export const summaryEventSchema = v.variant('object', [
  v.strictObject({ object: v.literal('summary.progress'), id: v.string(), done: v.number(), total: v.number() }),
  v.strictObject({
    object: v.literal('summary.sentence'),
    id: v.string(),
    index: v.number(),
    sentence: sentenceSchema,
  }),
])
export type SummaryEvent = v.InferOutput<typeof summaryEventSchema>
