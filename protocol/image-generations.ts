/**
 * `POST /v1/images/generations`: OpenAI's request (https://platform.openai.com/docs/api-reference/images/create), with
 * what is not served refused by name.
 */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { isOneOf, textSchema, UNSUPPORTED } from './text.ts'

const wholeIn = (low: number, high: number) => v.pipe(v.number(), v.integer(), v.minValue(low), v.maxValue(high))
const oneOf = <const T extends readonly string[]>(served: T, others: readonly string[]) =>
  v.pipe(
    v.string(),
    v.check((value) => !isOneOf(value, others), UNSUPPORTED),
    v.picklist(served),
  )

export const responseFormatSchema = v.picklist(['b64_json', 'url', 'latents'])

const honoured = {
  model: v.nullish(v.pipe(v.string(), v.minLength(1), v.maxLength(256)), 'emoji-gan'),
  /** Empty: anything. */
  prompt: v.pipe(textSchema, v.maxLength(LIMITS.imagePromptLength)),
  n: v.nullish(wholeIn(1, LIMITS.variations), 1),
  /** The model's own, or a whole multiple of it. */
  size: v.nullish(v.pipe(v.string(), v.regex(/^(?:auto|\d{1,4}x\d{1,4})$/, 'must be <width>x<height>')), 'auto'),
  response_format: v.nullish(responseFormatSchema, 'b64_json'),
  output_format: v.nullish(oneOf(['png', 'webp'], ['jpeg', 'gif', 'svg']), 'png'),
  /** Ours: the same model, prompt and seed give the same pictures; the second is that of `seed` + 1. */
  seed: v.nullish(wholeIn(0, 2 ** 32 - 1)),
}
const inert = {
  user: v.optional(v.string()),
  safety_identifier: v.nullish(v.string()),
  moderation: v.nullish(v.picklist(['low', 'auto'])),
}
const refused = {
  stream: v.nullish(v.literal(false, UNSUPPORTED)),
  partial_images: v.nullish(v.literal(0, UNSUPPORTED)),
  background: v.nullish(v.picklist(['auto', 'opaque'], UNSUPPORTED)),
  quality: v.nullish(v.picklist(['auto', 'standard'], UNSUPPORTED)),
  style: v.optional(v.null(UNSUPPORTED)),
  output_compression: v.nullish(v.literal(100, UNSUPPORTED)),
  complexity: v.optional(v.null(UNSUPPORTED)),
  frame_count: v.optional(v.null(UNSUPPORTED)),
  frame_duration_ms: v.optional(v.null(UNSUPPORTED)),
  svg: v.optional(v.null(UNSUPPORTED)),
}

/** How each parameter is treated; `docs/compatibility.md` is checked against it. */
export const IMAGE_PARAMETERS = {
  honoured: Object.keys(honoured),
  inert: Object.keys(inert),
  refused: Object.keys(refused),
} as const

export const imageRequestSchema = v.strictObject({ ...honoured, ...inert, ...refused })
export type ImageRequest = v.InferOutput<typeof imageRequestSchema>

/** By the response format. */
const generatedSchema = v.union([
  v.strictObject({ b64_json: v.string() }),
  v.strictObject({
    /** Holds for an hour. */
    url: v.string(),
  }),
  v.strictObject({
    latents: v.array(v.number()),
    /** Whose they are: what decodes them. */
    model: v.string(),
  }),
])
export type GeneratedImage = v.InferOutput<typeof generatedSchema>

export const generatedImagesSchema = v.strictObject({
  /** Unix seconds. */
  created: v.number(),
  /** What drew them. */
  model: v.string(),
  /** Of the first picture. */
  seed: v.number(),
  /** Ours: no runner was there, and a smaller model at the edge drew them. */
  degraded: v.optional(v.literal(true)),
  data: v.array(generatedSchema),
})
