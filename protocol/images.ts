/** `/v1/images/variations` (OpenAI's) and `/v1/images/enhancements` (ours). */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { isOneOf, UNSUPPORTED } from './text.ts'

const model = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
const most = 2 ** 32 - 1
const wholeIn = (low: number, high: number) => v.pipe(v.number(), v.integer(), v.minValue(low), v.maxValue(high))
/** A form has text alone. */
const numberField = v.pipe(v.string(), v.regex(/^-?\d+(\.\d+)?$/, 'must be a number'), v.transform(Number))
/** The fields of the form. */
export const variationRequestSchema = v.strictObject({
  /** A PNG. */
  image: v.instance(Uint8Array, 'must be a file'),
  model: v.optional(model, 'emoji-vae'),
  n: v.optional(v.pipe(numberField, wholeIn(1, LIMITS.variations)), '1'),
  response_format: v.optional(v.picklist(['b64_json', 'url']), 'b64_json'),
  /** The model's own size, as `<width>x<height>`, if given. */
  size: v.optional(v.pipe(v.string(), v.regex(/^\d+x\d+$/, 'must be <width>x<height>'))),
  user: v.optional(v.pipe(v.string(), v.maxLength(512))),
  /** Ours: the same seed and image give the same variations. */
  seed: v.optional(v.pipe(numberField, wholeIn(0, most))),
  /** Ours: from 0, the model's picture of the image itself, to 1, one that has nothing to do with it. */
  strength: v.optional(v.pipe(numberField, v.minValue(0), v.maxValue(1)), '0.5'),
})
export type VariationRequest = v.InferOutput<typeof variationRequestSchema>

export const enhancementRequestSchema = v.strictObject({
  model,
  task: v.pipe(
    v.string(),
    v.check((task) => !isOneOf(task, ['upscale', 'colorize', 'restore']), UNSUPPORTED),
    v.picklist(['denoise']),
  ),
  /** A PNG in base64, or in a data URL. */
  image: v.pipe(v.string(), v.minLength(1)),
})

export const imagesAnswerSchema = v.strictObject({
  /** Unix seconds. */
  created: v.number(),
  model: v.string(),
  /** Where chance had a part: what gives the same images again. */
  seed: v.optional(v.number()),
  data: v.array(
    v.union([
      v.strictObject({ b64_json: v.string() }),
      v.strictObject({
        /** Holds for an hour. */
        url: v.string(),
      }),
    ]),
  ),
})
