/** `/v1/latents…`: what a model's latent space holds, in and out. Ours. */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'

const model = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
/** JSON has no infinity, but 1e999 is one. */
const number = v.pipe(v.number(), v.minValue(-LIMITS.magnitude), v.maxValue(LIMITS.magnitude))
const vector = v.pipe(v.array(number), v.minLength(1), v.maxLength(1024))
const vectors = v.pipe(v.array(vector), v.minLength(1), v.maxLength(LIMITS.images))
/** Each a PNG in base64, or in a data URL. */
const image = v.pipe(v.string(), v.minLength(1))
const images = v.pipe(v.array(image), v.minLength(1), v.maxLength(LIMITS.images))
const seed = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1))

/** What a decoder gives: an image, or a row of a table. */
const decodedSchema = v.union([
  v.strictObject({
    /** A PNG. */
    b64_json: v.string(),
  }),
  v.strictObject({ row: v.array(v.number()) }),
])
export type Decoded = v.InferOutput<typeof decodedSchema>

export const decodeRequestSchema = v.strictObject({ model, latents: vectors })
export const decodeAnswerSchema = v.strictObject({
  /** Unix seconds. */
  created: v.number(),
  model: v.string(),
  data: v.array(decodedSchema),
})

const encodeRest = { model, seed: v.optional(seed) }
export const encodeRequestSchema = v.union([
  v.strictObject({ ...encodeRest, images }),
  v.strictObject({ ...encodeRest, rows: vectors }),
])
export const latentSchema = v.strictObject({
  mean: v.array(v.number()),
  /** Null if the model has none: its latents are points, and `sample` is `mean`. */
  log_variance: v.nullable(v.array(v.number())),
  /** mean + exp(log_variance / 2) · noise. */
  sample: v.array(v.number()),
})
export type Latent = v.InferOutput<typeof latentSchema>
export const encodeAnswerSchema = v.strictObject({
  model: v.string(),
  /** That gives the same samples again. */
  seed: v.number(),
  data: v.array(latentSchema),
})

export const interpolateRequestSchema = v.strictObject({
  model,
  from: vector,
  to: vector,
  /** Both ends among them. */
  steps: v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(LIMITS.images)),
  method: v.optional(v.picklist(['linear', 'spherical']), 'linear'),
})
export const interpolateAnswerSchema = v.strictObject({
  created: v.number(),
  model: v.string(),
  data: v.array(
    v.union([
      v.strictObject({ latent: v.array(v.number()), b64_json: v.string() }),
      v.strictObject({ latent: v.array(v.number()), row: v.array(v.number()) }),
    ]),
  ),
})

const mapped = <Item extends v.GenericSchema>(item: Item) =>
  v.pipe(v.array(item), v.minLength(1), v.maxLength(LIMITS.mapItems))
const mapRest = {
  model,
  method: v.optional(v.picklist(['pca', 'umap']), 'pca'),
  /** Of UMAP's beginning; the same gives the same map. */
  seed: v.optional(seed, 0),
  /** Of each item, which UMAP keeps together: few show what is near, many the whole. */
  neighbors: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(100)), 15),
}
export const mapRequestSchema = v.union([
  v.strictObject({ ...mapRest, latents: mapped(vector) }),
  v.strictObject({ ...mapRest, images: mapped(image) }),
  v.strictObject({ ...mapRest, rows: mapped(vector) }),
  /** The images of a zip archive, or the rows of a table; of a larger file as many as a map has, evenly chosen. */
  v.strictObject({ ...mapRest, file_id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) }),
])
export const mapAnswerSchema = v.strictObject({
  model: v.string(),
  method: v.picklist(['pca', 'umap']),
  /** Of PCA: the share of the variance that each axis has, 0 to 1. */
  explained_variance: v.optional(v.tuple([v.number(), v.number()])),
  /** Of a file: how many items it has. */
  total: v.optional(v.number()),
  /** One for each item, in order; of a file, which of its items it is, from 0, and an image's name. */
  data: v.array(
    v.strictObject({ x: v.number(), y: v.number(), index: v.optional(v.number()), name: v.optional(v.string()) }),
  ),
})
