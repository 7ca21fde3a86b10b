/** `GET /v1/models` and `/v1/models/{id}`: OpenAI's model object, with what it can do at the top level. */
import * as v from 'valibot'
import { cardSchema, conditionsSchema, inputSchema, modelFileSchema } from './published-model.ts'

/** Ours are all fields but OpenAI's four. */
const common = {
  id: v.string(),
  object: v.literal('model'),
  /** Unix seconds. */
  created: v.number(),
  owned_by: v.string(),
}
/** One that a runner answers with. */
const runnerModelSchema = v.strictObject({
  ...common,
  task: v.picklist(['chat', 'embedding', 'translation']),
  /** Tokens that prompt and answer may have together, or a text to embed. */
  context_length: v.number(),
  system_fingerprint: v.string(),
  /** The execution provider: `cpu`, `cuda`; `runner` of one that was trained here. */
  device: v.string(),
  /** Of a model that translates. */
  source_language: v.optional(v.string()),
  target_language: v.optional(v.string()),
  /** Of one that was trained here. */
  card: v.optional(cardSchema),
})
/** One that was trained here, to make or judge pictures or rows. */
const trainedModelSchema = v.strictObject({
  ...common,
  task: v.picklist(['vae', 'autoencoder', 'denoiser', 'gan']),
  /** Where it runs: a GAN on a runner. */
  device: v.picklist(['edge', 'runner']),
  /** What it takes: `{kind: "images", channels, height, width}` or `{kind: "rows", columns}`. */
  input: inputSchema,
  /** Numbers of a latent, if it has any. */
  latents: v.optional(v.number()),
  /** What it can be asked to make: `{kind: "text", size}` or `{kind: "classes", names}`. */
  conditions: v.optional(conditionsSchema),
  /**
   * For whoever decodes by themselves: of one that ships with Tandem, the file `/models/<sha256>.onnx`; of one's own,
   * `/v1/models/{id}/files/<sha256>`.
   */
  decoder: v.optional(modelFileSchema),
  card: cardSchema,
})
export const modelSchema = v.variant('task', [runnerModelSchema, trainedModelSchema])
export type Model = v.InferOutput<typeof modelSchema>

export const modelListSchema = v.strictObject({
  object: v.literal('list'),
  data: v.array(modelSchema),
  /** Ours: there is no runner just now, and its models are not among these. */
  degraded: v.optional(v.literal(true)),
})

export const modelDeletedSchema = v.strictObject({
  id: v.string(),
  object: v.literal('model'),
  deleted: v.literal(true),
})
