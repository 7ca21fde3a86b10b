/**
 * DeepL's API for texts (https://developers.deepl.com/docs/api-reference/translate), as its clients send it: in JSON, or as a
 * form, in which true is `1` and a list is parted by commas.
 */
import * as v from 'valibot'
import { formFlagSchema } from './form-flag.ts'
import { languageCodeSchema } from './language-code.ts'
import { LIMITS } from './limits.ts'
import { textSchema, UNSUPPORTED } from './text.ts'
import { translationModelSchema } from './translation.ts'

const parted = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
/** As JSON has it, or parted by commas. */
const list = (item: v.GenericSchema<string, string>, most: number) =>
  v.optional(
    v.union([
      v.pipe(v.array(item), v.maxLength(most)),
      v.pipe(v.string(), v.transform(parted), v.array(item), v.maxLength(most)),
    ]),
    [],
  )
const tags = list(v.pipe(v.string(), v.minLength(1), v.maxLength(128)), LIMITS.tagNames)
const glossaryId = v.pipe(v.string(), v.minLength(1), v.maxLength(64))
const unsupported = v.optional(
  v.pipe(
    v.unknown(),
    v.check(() => false, UNSUPPORTED),
  ),
)

const honoured = {
  text: v.pipe(v.array(textSchema), v.minLength(1), v.maxLength(LIMITS.deeplTexts)),
  target_lang: languageCodeSchema,
  /** Each text's own is found out without it. */
  source_lang: v.optional(languageCodeSchema),
  /** `0`: nowhere; `1`: at line ends and full stops; `nonewlines`: at full stops. Default `1`, for HTML `nonewlines`. */
  split_sentences: v.optional(v.picklist(['0', '1', 'nonewlines'])),
  preserve_formatting: formFlagSchema,
  tag_handling: v.optional(v.picklist(['xml', 'html'])),
  outline_detection: formFlagSchema,
  non_splitting_tags: tags,
  splitting_tags: tags,
  ignore_tags: tags,
  glossary_id: v.optional(glossaryId),
  /** Where several have a term, the first counts. */
  glossary_ids: list(glossaryId, LIMITS.glossariesAtOnce),
  /** How long is searched: `latency_optimized` takes the likeliest word each time. */
  model_type: v.optional(v.picklist(['quality_optimized', 'prefer_quality_optimized', 'latency_optimized'])),
  show_billed_characters: formFlagSchema,
  /** Ours: the model that is to translate; without it the newest that the caller trained for the languages, or Tandem's. */
  model: v.optional(translationModelSchema),
  /** Ours: server-sent events, a `translation.piece` each, then the answer, `[DONE]`. */
  stream: formFlagSchema,
  /** No model here knows any: the `prefer_` forms are what DeepL ignores then. */
  formality: v.optional(v.picklist(['default', 'prefer_more', 'prefer_less'])),
}
const inert = {
  /** Each sentence is translated by itself. */
  context: v.optional(textSchema),
  tag_handling_version: v.optional(v.picklist(['v1', 'v2'])),
  enable_beta_languages: formFlagSchema,
}
const refused = {
  style_id: unsupported,
  translation_memory_id: unsupported,
  translation_memory_threshold: unsupported,
  custom_instructions: unsupported,
}

/** How each parameter is treated; `docs/translation.md` is checked against it. */
export const DEEPL_PARAMETERS = {
  honoured: Object.keys(honoured),
  inert: Object.keys(inert),
  refused: Object.keys(refused),
} as const

export const deeplRequestSchema = v.strictObject({ ...honoured, ...inert, ...refused })
export type DeeplRequest = v.InferOutput<typeof deeplRequestSchema>

export const deeplAnswerSchema = v.strictObject({
  translations: v.array(
    v.strictObject({
      /** In capitals. */
      detected_source_language: v.string(),
      text: v.string(),
      billed_characters: v.optional(v.number()),
      model_type_used: v.optional(v.string()),
    }),
  ),
})
export type DeeplAnswer = v.InferOutput<typeof deeplAnswerSchema>

export const deeplLanguagesQuerySchema = v.strictObject({
  type: v.optional(v.picklist(['source', 'target']), 'source'),
})
export const deeplLanguagesSchema = v.array(
  v.strictObject({ language: v.string(), name: v.string(), supports_formality: v.optional(v.boolean()) }),
)
export const deeplUsageSchema = v.strictObject({ character_count: v.number(), character_limit: v.number() })
export const deeplPairsSchema = v.strictObject({
  supported_languages: v.array(v.strictObject({ source_lang: v.string(), target_lang: v.string() })),
})
