/** What a training job may be told of how to train: OpenAI's `method`, with our types. */
import * as v from 'valibot'
import { isOneOf, textSchema, UNSUPPORTED } from './text.ts'

/** A hyperparameter: a value, or what suits the data. */
const auto = <Schema extends v.GenericSchema>(value: Schema) => v.optional(v.union([v.literal('auto'), value]), 'auto')
const count = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))
const share = v.pipe(v.number(), v.gtValue(0), v.ltValue(1))
const columnName = v.pipe(textSchema, v.minLength(1), v.maxLength(200))

/** OpenAI's. */
const common = {
  n_epochs: auto(count(1, 1_000)),
  batch_size: auto(count(1, 1_024)),
  /** Times the rate that the method has by itself. */
  learning_rate_multiplier: auto(v.pipe(v.number(), v.gtValue(0), v.maxValue(100))),
}
const images = {
  /** Pixels of a side: pictures are cut to squares of it. */
  image_size: auto(v.picklist([8, 16, 32, 64])),
  channels: auto(v.picklist([1, 3])),
}
const latents = auto(count(2, 512))
/** What a picture is made from beside chance. By itself: captions if there are any, else classes, else nothing. */
const condition = v.optional(v.picklist(['auto', 'none', 'class', 'caption']), 'auto')

const vae = v.strictObject({
  ...common,
  ...images,
  latents,
  condition,
  /** Weight of the KL divergence. */
  beta: auto(v.pipe(v.number(), v.gtValue(0), v.maxValue(100))),
})
const autoencoder = v.strictObject({
  ...common,
  ...images,
  latents,
  /** A score for what is unusual, or pictures without their noise. */
  objective: v.optional(v.picklist(['auto', 'anomaly', 'denoise']), 'auto'),
  /** Standard deviation of what is added while it trains. */
  noise: auto(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  /** Share of the validation part whose score is above the threshold. */
  alarms: auto(share),
  /** Of a table: those that it learns; by itself all that are numbers. */
  columns: auto(v.pipe(v.array(columnName), v.minLength(1), v.maxLength(1_024))),
  /** Of a table: a column of 0 and 1 that it is measured by and does not learn. */
  label: v.optional(columnName),
})
const gan = v.strictObject({ ...common, ...images, latents, condition })
/** A bare language, as `en`; of it are texts in `en-GB`, too. */
const language = v.pipe(v.string(), v.regex(/^[a-z]{2,3}$/, 'must be a language of two or three small letters, as en'))
const translation = v.strictObject({
  ...common,
  /** Share of what each layer gives that is left out while it learns. */
  dropout: auto(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5))),
  /** Of one that is tuned: pairs of what it knew that it is reminded of, for each that it learns. */
  rehearsal: auto(v.pipe(v.number(), v.minValue(0), v.maxValue(4))),
  /** Of a new model alone: tokens, numbers of a token between layers, and layers on each side. */
  vocabulary_size: auto(count(512, 32_000)),
  width: auto(v.pipe(count(32, 512), v.multipleOf(32))),
  layers: auto(count(1, 8)),
})

/** OpenAI's that nothing here trains by. */
const SERVED_LATER = ['supervised', 'dpo', 'reinforcement']

/** `{"type": "vae", "vae": {"hyperparameters": {…}}}`; what is left out is `"auto"`. */
export const trainingMethodSchema = v.variant(
  'type',
  [
    v.strictObject({
      type: v.literal('vae'),
      vae: v.optional(v.strictObject({ hyperparameters: v.optional(vae, {}) }), {}),
    }),
    v.strictObject({
      type: v.literal('autoencoder'),
      autoencoder: v.optional(v.strictObject({ hyperparameters: v.optional(autoencoder, {}) }), {}),
    }),
    v.strictObject({
      type: v.literal('gan'),
      gan: v.optional(v.strictObject({ hyperparameters: v.optional(gan, {}) }), {}),
    }),
    v.strictObject({
      type: v.literal('translation'),
      translation: v.optional(
        v.strictObject({
          /** Those of the model that is tuned, which they follow from. */
          source_language: v.optional(language),
          target_language: v.optional(language),
          hyperparameters: v.optional(translation, {}),
        }),
        {},
      ),
    }),
  ],
  (issue) => (isOneOf(issue.input, SERVED_LATER) ? UNSUPPORTED : 'type'),
)
export type TrainingMethod = v.InferOutput<typeof trainingMethodSchema>
