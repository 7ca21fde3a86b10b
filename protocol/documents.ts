/** DeepL's documents: sent, asked about, fetched once. */
import * as v from 'valibot'
import { languageCodeSchema } from './language-code.ts'
import { textSchema } from './text.ts'
import { translationModelSchema } from './translation.ts'

/** The fields of the form beside `file`. */
export const documentFieldsSchema = v.strictObject({
  target_lang: languageCodeSchema,
  source_lang: v.optional(languageCodeSchema),
  /** Instead of the file's own name. */
  filename: v.optional(v.pipe(textSchema, v.minLength(1), v.maxLength(255))),
  formality: v.optional(v.picklist(['default', 'prefer_more', 'prefer_less'])),
  glossary_id: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
  /** Ours: the model that is to translate. */
  model: v.optional(translationModelSchema),
})
/** The whole form, as the API's description has it. */
export const documentFormSchema = v.strictObject({
  ...documentFieldsSchema.entries,
  file: v.instance(Uint8Array<ArrayBufferLike>),
})

export const documentHandleSchema = v.strictObject({ document_id: v.string(), document_key: v.string() })
export const documentKeySchema = v.strictObject({ document_key: v.pipe(v.string(), v.maxLength(256)) })
export const documentStatusSchema = v.strictObject({
  document_id: v.string(),
  status: v.picklist(['queued', 'translating', 'done', 'error']),
  seconds_remaining: v.optional(v.number()),
  billed_characters: v.optional(v.number()),
  error_message: v.optional(v.string()),
  /** The same again, for older clients. */
  message: v.optional(v.string()),
})
export type DocumentStatus = v.InferOutput<typeof documentStatusSchema>
