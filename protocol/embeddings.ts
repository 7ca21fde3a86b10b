/**
 * `POST /v1/embeddings`: texts as vectors. OpenAI's request
 * (https://platform.openai.com/docs/api-reference/embeddings/create); and what the edge asks of a runner for it.
 */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { textSchema } from './text.ts'

const input = v.pipe(textSchema, v.minLength(1))
const tokens = v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.minLength(1))
const dimensions = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIMITS.embeddingDimensions))

const honoured = {
  model: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  /** One or several, each as text or as tokens. */
  input: v.union([
    input,
    tokens,
    v.pipe(v.array(input), v.minLength(1), v.maxLength(LIMITS.embeddingInputs)),
    v.pipe(v.array(tokens), v.minLength(1), v.maxLength(LIMITS.embeddingInputs)),
  ]),
  /** `base64`: the numbers as little-endian float32. */
  encoding_format: v.nullish(v.picklist(['float', 'base64']), 'float'),
  /** How many numbers of each vector are wanted. */
  dimensions: v.nullish(dimensions),
}
const inert = { user: v.optional(v.string()) }

/** How each parameter is treated; `docs/compatibility.md` is checked against it. */
export const EMBEDDING_PARAMETERS = {
  honoured: Object.keys(honoured),
  inert: Object.keys(inert),
  refused: [],
} as const

export const embeddingRequestSchema = v.strictObject({ ...honoured, ...inert })
export type EmbeddingRequest = v.InferOutput<typeof embeddingRequestSchema>

export const embeddingAnswerSchema = v.strictObject({
  object: v.literal('list'),
  data: v.array(
    v.strictObject({
      object: v.literal('embedding'),
      index: v.number(),
      embedding: v.union([v.array(v.number()), v.string()]),
    }),
  ),
  model: v.string(),
  usage: v.strictObject({ prompt_tokens: v.number(), total_tokens: v.number() }),
})
export type EmbeddingAnswer = v.InferOutput<typeof embeddingAnswerSchema>

/** `POST /embeddings` of a runner. A closed connection cancels it. */
export const embeddingsRequestSchema = v.strictObject({
  model: v.string(),
  /** Whose request this is; tenants take turns. */
  tenant: v.string(),
  inputs: v.pipe(v.array(v.union([input, tokens])), v.minLength(1), v.maxLength(LIMITS.embeddingInputs)),
  dimensions: v.nullable(dimensions),
})
export type EmbeddingsRequest = v.InferOutput<typeof embeddingsRequestSchema>

export const embeddingsReplySchema = v.object({
  model: v.string(),
  /** Numbers of each vector. */
  dimensions: v.number(),
  /** Of all inputs. */
  tokens: v.number(),
  /** The vectors, one after the other, as little-endian float32 in base64. */
  vectors: v.string(),
})
export type EmbeddingsReply = v.InferOutput<typeof embeddingsReplySchema>
