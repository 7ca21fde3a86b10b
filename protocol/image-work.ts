/**
 * `POST /images` on a runner: what the edge asks it to draw, and what it answers. The edge knows who may use a model; a
 * runner draws with what it is told, and fetches files that it lacks from the edge by their hash.
 */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { conditionsSchema, imagesSchema, modelFileSchema } from './published-model.ts'

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most))

export const imageWorkSchema = v.strictObject({
  generator: modelFileSchema,
  input: imagesSchema,
  latents: count(1024),
  /** Undefined for a generator that takes none. */
  conditions: v.optional(conditionsSchema),
  prompt: v.string(),
  /** One for each picture. */
  seeds: v.pipe(
    v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
    v.minLength(1),
    v.maxLength(LIMITS.variations),
  ),
  /** How many pixels wide and high each of the model's own becomes. */
  scale: count(LIMITS.imageSide),
  format: v.picklist(['png', 'webp']),
})
export type ImageWork = v.InferOutput<typeof imageWorkSchema>

export const drawnImagesSchema = v.strictObject({
  /** Files in base64, in the order of the seeds. */
  images: v.array(v.pipe(v.string(), v.base64())),
})
export type DrawnImages = v.InferOutput<typeof drawnImagesSchema>
