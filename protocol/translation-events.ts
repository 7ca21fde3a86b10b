/** What a stream of translations has before its last event, which is the whole answer. */
import * as v from 'valibot'

export const translationEventSchema = v.strictObject({
  object: v.literal('translation.piece'),
  /** Of the text, from 0. */
  index: v.number(),
  /** Follows on the pieces of the same text that came before; all of them are its translation. */
  text: v.string(),
  /** Sentences of all texts: translated so far, and together. */
  done: v.number(),
  total: v.number(),
})
export type TranslationEvent = v.InferOutput<typeof translationEventSchema>
