/** `POST /v1/tokenize` and `/v1/detokenize`: text to a model's tokens and back. Ours; the names are vLLM's. */
import * as v from 'valibot'
import { chatMessageSchema } from './chat.ts'
import { LIMITS } from './limits.ts'
import { textSchema } from './text.ts'

const model = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

/** A text, or the messages of a chat, which go through the model's template. */
export const tokenizeRequestSchema = v.union([
  v.strictObject({ model, prompt: textSchema }),
  v.strictObject({ model, messages: v.pipe(v.array(chatMessageSchema), v.minLength(1), v.maxLength(LIMITS.messages)) }),
])
export const tokenizeAnswerSchema = v.strictObject({
  tokens: v.array(v.number()),
  count: v.number(),
  /** The model's context, in tokens. */
  max_model_len: v.number(),
})

export const detokenizeRequestSchema = v.strictObject({
  model,
  tokens: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.maxLength(LIMITS.maxTokens)),
})
export const detokenizeAnswerSchema = v.strictObject({ prompt: v.string() })
