/**
 * What the runner publishes and the edge runs: a manifest that names ONNX files by their content. It is written after
 * the files, so that whoever reads it finds them. Images are float32 `[n, channels, height, width]` in [0, 1], `n` free.
 */
import * as v from 'valibot'

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(2_000))
const count = v.pipe(v.number(), v.integer(), v.minValue(1))
const finite = v.pipe(v.number(), v.finite())

export const modelFileSchema = v.strictObject({
  /** Of the file's bytes; it lies in the object store as `models/<sha256>`. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  bytes: count,
})
export type ModelFile = v.InferOutput<typeof modelFileSchema>

/** Where a runner gets a published model's file: `GET`, with the runners' secret. */
export const modelFilePath = (sha256: string): string => `/internal/models/${sha256}`

export const imagesSchema = v.strictObject({
  kind: v.literal('images'),
  channels: v.picklist([1, 3, 4]),
  height: v.pipe(count, v.maxValue(256)),
  width: v.pipe(count, v.maxValue(256)),
})
/** Rows of numbers; the graph itself standardises them. */
const rowsSchema = v.strictObject({
  kind: v.literal('rows'),
  columns: v.pipe(v.array(v.strictObject({ name: text })), v.minLength(1), v.maxLength(1_024)),
})

/** What a model takes. */
export const inputSchema = v.variant('kind', [imagesSchema, rowsSchema])

const latents = v.pipe(count, v.maxValue(1_024))
const language = v.pipe(v.string(), v.regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/))

/** What a model can be told to make, as a vector: `condition` of models/text/condition.ts. */
export const conditionsSchema = v.variant('kind', [
  /** The hashed words of a text. */
  v.strictObject({ kind: v.literal('text'), size: v.pipe(count, v.maxValue(4_096)) }),
  /** One of them. */
  v.strictObject({ kind: v.literal('classes'), names: v.pipe(v.array(text), v.minLength(1), v.maxLength(1_000)) }),
])

/** Names of inputs and outputs, and their shapes, are the same in every model of a family. */
const partsSchema = v.variant('family', [
  /**
   * encoder: `images` → `mean` [n, latents], `log_variance` [n, latents]; decoder: `latents` [n, latents] → `images`.
   * prior, if what it makes can be asked for: `condition` [n, size] → `mean`, `log_variance` [n, latents], a learned
   * p(z | condition) (Sohn, Lee and Yan 2015); without it, the prior is N(0, 1).
   */
  v.strictObject({
    family: v.literal('vae'),
    input: imagesSchema,
    latents,
    encoder: modelFileSchema,
    decoder: modelFileSchema,
    prior: v.optional(v.strictObject({ file: modelFileSchema, conditions: conditionsSchema })),
  }),
  /**
   * scorer: `images` or `rows` [n, columns] → `scores` [n] and `errors`, the squared error of each pixel or column in
   * units of what is usual for it, in the input's shape; encoder: the same → `mean` [n, latents]; decoder: `latents` → `images` or `rows`.
   */
  v.strictObject({
    family: v.literal('autoencoder'),
    input: inputSchema,
    latents,
    encoder: modelFileSchema,
    decoder: modelFileSchema,
    scorer: modelFileSchema,
    /** A score above it is an anomaly. */
    threshold: finite,
    /** Scores of validation data at 0 %, 1 %, … 100 %, ascending: how rare a score is. */
    quantiles: v.pipe(v.array(finite), v.length(101)),
  }),
  /** denoiser: `noisy` → `images`, of one shape. */
  v.strictObject({ family: v.literal('denoiser'), input: imagesSchema, denoiser: modelFileSchema }),
  /** generator: `latents` [n, latents] and, if there are conditions, `condition` [n, size] → `images`. */
  v.strictObject({
    family: v.literal('gan'),
    input: imagesSchema,
    latents,
    conditions: v.optional(conditionsSchema),
    generator: modelFileSchema,
  }),
])
export type ModelParts = v.InferOutput<typeof partsSchema>

/**
 * A model that translates, which a runner alone runs: the graphs that models/architectures/published-translation.ts
 * describes. vocabulary: JSON, a list of the pieces that tokens are, in the order in which they were learned.
 */
export const translationPartsSchema = v.strictObject({
  family: v.literal('translation'),
  /** As BCP 47 has them. */
  languages: v.strictObject({ source: language, target: language }),
  width: v.pipe(count, v.maxValue(1_024)),
  heads: v.pipe(count, v.maxValue(16)),
  decoderLayers: v.pipe(count, v.maxValue(12)),
  /** Tokens that a sentence and its translation may have, the one at the end included. */
  sourceLength: v.pipe(count, v.maxValue(4_096)),
  targetLength: v.pipe(count, v.maxValue(4_096)),
  vocabulary: modelFileSchema,
  encoder: modelFileSchema,
  decoder: modelFileSchema,
})
export type TranslationParts = v.InferOutput<typeof translationPartsSchema>

export const cardSchema = v.strictObject({
  description: text,
  /** What it was trained on, and its licence. */
  data: text,
  licence: text,
  /** On the validation part. */
  metrics: v.record(v.pipe(v.string(), v.maxLength(64)), finite),
  /** What made it, as data. */
  recipe: v.record(v.pipe(v.string(), v.maxLength(64)), v.union([v.string(), v.number(), v.boolean(), v.null()])),
})

export const publishedIdSchema = v.pipe(v.string(), v.regex(/^[a-z0-9][a-zA-Z0-9:._-]{0,255}$/))

const common = {
  id: publishedIdSchema,
  /** Unix seconds. */
  created: v.pipe(v.number(), v.integer()),
  /** Who may use it; null: everyone, as with what ships with Tandem. */
  owner: v.nullable(text),
  card: cardSchema,
}

/** Lies in the object store as `manifests/<id>.json`. */
export const publishedModelSchema = v.strictObject({ ...common, parts: partsSchema })
export type PublishedModel = v.InferOutput<typeof publishedModelSchema>

/** Stands beside the files of a model that ships with Tandem; one's own lies in the object store. */
export const publishedTranslationSchema = v.strictObject({ ...common, parts: translationPartsSchema })
export type PublishedTranslation = v.InferOutput<typeof publishedTranslationSchema>

/** What a training may make. */
export const anyPublishedSchema = v.union([publishedModelSchema, publishedTranslationSchema])
export type AnyPublished = v.InferOutput<typeof anyPublishedSchema>

export const isTranslation = (model: AnyPublished): model is PublishedTranslation =>
  model.parts.family === 'translation'
