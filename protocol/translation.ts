/** `POST /translate` of a runner: what the edge asks of it for texts in another language. A closed connection cancels it. */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { translationPartsSchema } from './published-model.ts'
import { textSchema } from './text.ts'

const count = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))
const text = v.pipe(textSchema, v.minLength(1), v.maxLength(LIMITS.translatedTextLength))

/** How many placeholders a text may have: `⟦0⟧` to `⟦15⟧`, which a translation has where they belong. */
export const PLACEHOLDERS = 16
/** As it stands in a text. @param index below `PLACEHOLDERS` */
export const placeholder = (index: number): string => `⟦${index}⟧`

/** The id of a model. */
export const translationModelSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

export const translateRequestSchema = v.strictObject({
  model: translationModelSchema,
  /** Of a model that was trained here: its files. Without it the model is the runner's own. */
  published: v.optional(translationPartsSchema),
  /** Sentences. */
  texts: v.pipe(v.array(text), v.minLength(1), v.maxLength(LIMITS.translatedTexts)),
  /** Translations that are kept in view of each text; 1 is greedy. */
  beam: v.optional(count(1, 8), 4),
  /** How many other translations are wanted beside the best; no more than the beam has. */
  alternatives: v.optional(count(0, 3), 0),
})
export type TranslateRequest = v.InferOutput<typeof translateRequestSchema>

export const translateReplySchema = v.object({
  /** In the order of the texts. */
  translations: v.array(
    v.object({
      text: v.string(),
      alternatives: v.array(v.string()),
      /** Produced: those of `text`. */
      tokens: count(0, Number.MAX_SAFE_INTEGER),
      /** Of the source. */
      read: count(0, Number.MAX_SAFE_INTEGER),
    }),
  ),
})
export type TranslateReply = v.InferOutput<typeof translateReplySchema>
