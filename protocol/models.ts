/** `GET /v1/models` and `/v1/models/{id}`: OpenAI's model object, with what it can do at the top level. */
import * as v from 'valibot'

export const modelSchema = v.strictObject({
  id: v.string(),
  object: v.literal('model'),
  /** Unix seconds. */
  created: v.number(),
  owned_by: v.string(),
  /** Ours, from here on. */
  task: v.literal('chat'),
  /** Tokens that prompt and answer may have together. */
  context_length: v.number(),
  system_fingerprint: v.string(),
  /** The execution provider: `cpu`, `cuda`. */
  device: v.string(),
})
export type Model = v.InferOutput<typeof modelSchema>

export const modelListSchema = v.strictObject({ object: v.literal('list'), data: v.array(modelSchema) })
