/**
 * `/v1/fine_tuning/jobs`: OpenAI's shapes for jobs that train a model here.
 *
 * https://platform.openai.com/docs/api-reference/fine-tuning. Ours: the types of `method`, `model` as the name of what is
 * trained, `order` of events, `data` of events, `samples` in them.
 */
import * as v from 'valibot'
import { metadataSchema } from './metadata.ts'
import { UNSUPPORTED } from './text.ts'
import { trainingMethodSchema } from './training-method.ts'

export { type TrainingMethod, trainingMethodSchema } from './training-method.ts'

/** What can be trained. A `denoiser` is an autoencoder whose objective is `denoise`. */
export const TRAINED = ['vae', 'autoencoder', 'denoiser', 'gan'] as const
const fileId = v.pipe(v.string(), v.regex(/^file-[a-zA-Z0-9]{1,64}$/, 'must be the id of a file: file-…'))

export const jobCreateSchema = v.strictObject({
  model: v.picklist(TRAINED),
  training_file: fileId,
  validation_file: v.nullish(fileId),
  method: trainingMethodSchema,
  /** Part of the finished model's name. */
  suffix: v.nullish(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 of a-z, A-Z, 0-9, _ and -'))),
  seed: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1))),
  metadata: v.nullish(metadataSchema),
  integrations: v.nullish(v.pipe(v.array(v.unknown()), v.maxLength(0, UNSUPPORTED))),
  /** OpenAI's older place for what `method` has. */
  hyperparameters: v.optional(v.undefined(UNSUPPORTED)),
})
