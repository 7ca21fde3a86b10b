/** Recipes: what a model is made of and how, as data. Each is enough to make the same model again of the same data. */
import * as v from 'valibot'
import { catalogueNames } from './data/catalogue/catalogue.ts'

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most))
const positive = v.pipe(v.number(), v.gtValue(0), v.finite())
const notNegative = v.pipe(v.number(), v.minValue(0), v.finite())
const share = v.pipe(v.number(), v.gtValue(0), v.ltValue(1))

const common = {
  /** Of the catalogue; without it the data is what somebody uploaded. */
  data: v.optional(v.picklist(catalogueNames)),
  batch: count(1024),
  epochs: count(10_000),
  rate: positive,
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Share of the training data that validates, where no other data does. */
  validation: share,
  /** Validations without a better one after which it is enough; without it, all epochs are gone through. */
  patience: v.optional(count(1_000)),
}
const images = {
  side: v.picklist([8, 16, 32, 64]),
  hidden: v.pipe(v.array(count(1024)), v.minLength(1), v.maxLength(4)),
}
/** Whether half of the images are turned left to right when they are trained on. */
const flips = v.optional(v.boolean(), false)
const latents = count(512)
const condition = v.optional(v.picklist(['none', 'class', 'caption']), 'none')
/** Of a scorer: what it reads is disturbed by so much, and the share of validation data above the threshold. */
const scorer = { noise: notNegative, alarms: share }

const translator = {
  /** Tokens of the vocabulary, at most. */
  vocabulary: v.pipe(v.number(), v.integer(), v.minValue(512), v.maxValue(65_536)),
  width: v.pipe(v.number(), v.integer(), v.minValue(32), v.maxValue(1024), v.multipleOf(32)),
  heads: count(16),
  hidden: v.pipe(v.number(), v.integer(), v.minValue(32), v.maxValue(4096), v.multipleOf(32)),
  encoderLayers: count(12),
  decoderLayers: count(12),
}

export const recipeSchema = v.variant('method', [
  v.strictObject({ method: v.literal('vae'), ...common, ...images, latents, beta: positive, condition, flips }),
  v.strictObject({
    method: v.literal('gan'),
    ...common,
    ...images,
    latents,
    condition,
    style: v.picklist(['dcgan', 'relativistic']),
    augmented: v.boolean(),
    matching: notNegative,
  }),
  v.strictObject({ method: v.literal('denoiser'), ...common, ...images, noise: positive, flips }),
  v.strictObject({
    method: v.literal('image-autoencoder'),
    ...common,
    ...images,
    latents,
    layers: v.picklist(['convolutional', 'dense']),
    ...scorer,
  }),
  v.strictObject({
    method: v.literal('autoencoder'),
    ...common,
    latents,
    hidden: v.pipe(v.array(count(4096)), v.minLength(1), v.maxLength(8)),
    ...scorer,
  }),
  v.strictObject({
    method: v.literal('translation'),
    ...common,
    ...translator,
    /** Lines of a batch are `batch`; this is how many tokens of translations one has. */
    length: v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(512), v.multipleOf(8)),
    warmup: count(100_000),
    smoothing: notNegative,
    dropout: v.pipe(notNegative, v.ltValue(1)),
    placeholders: v.pipe(notNegative, v.maxValue(1)),
    /** The model that it goes on from, whose vocabulary and shape it has. */
    base: v.optional(v.string()),
    /** Pairs of what it knew, for each that it learns. */
    rehearsal: v.optional(notNegative),
  }),
])
export type Recipe = v.InferOutput<typeof recipeSchema>
