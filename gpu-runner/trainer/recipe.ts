/** Recipes: what a model is made of and how, as data. Each is enough to make the same model again. */
import * as v from 'valibot'
import { catalogueNames } from './data/catalogue/catalogue.ts'

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most))
const positive = v.pipe(v.number(), v.gtValue(0), v.finite())

const common = {
  data: v.picklist(catalogueNames),
  batch: count(1024),
  epochs: count(10_000),
  rate: positive,
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Share of the training data that validates. */
  validation: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
}
const side = v.picklist([8, 16, 32, 64])

export const recipeSchema = v.variant('method', [
  v.strictObject({
    method: v.literal('vae'),
    ...common,
    side,
    latents: count(512),
    hidden: v.pipe(v.array(count(1024)), v.minLength(1), v.maxLength(4)),
    beta: positive,
  }),
  v.strictObject({
    method: v.literal('denoiser'),
    ...common,
    side,
    hidden: v.pipe(v.array(count(1024)), v.minLength(1), v.maxLength(4)),
    noise: positive,
  }),
  v.strictObject({
    method: v.literal('autoencoder'),
    ...common,
    latents: count(512),
    hidden: v.pipe(v.array(count(4096)), v.minLength(1), v.maxLength(8)),
    noise: v.pipe(v.number(), v.minValue(0), v.finite()),
    alarms: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
  }),
])
export type Recipe = v.InferOutput<typeof recipeSchema>
