/** DeepL's glossaries, of its version 2 (one pair of languages each) and 3 (several). */
import * as v from 'valibot'
import { languageCodeSchema } from './language-code.ts'
import { LIMITS } from './limits.ts'
import { textSchema } from './text.ts'

const name = v.pipe(textSchema, v.minLength(1), v.maxLength(1024))
const language = v.pipe(
  languageCodeSchema,
  v.transform((code) => code.split('-', 1)[0]?.toLowerCase() ?? ''),
)
const dictionary = {
  source_lang: language,
  target_lang: language,
  /** Lines of a source term, a tab and a target term; or CSV of the two, which the languages may follow. */
  entries: v.pipe(textSchema, v.minLength(1)),
  entries_format: v.picklist(['tsv', 'csv']),
}
export const dictionaryRequestSchema = v.strictObject(dictionary)
export type DictionaryRequest = v.InferOutput<typeof dictionaryRequestSchema>
const dictionaries = v.pipe(v.array(dictionaryRequestSchema), v.maxLength(LIMITS.glossaryDictionaries))

export const glossaryRequestSchema = v.strictObject({ name, ...dictionary })
export const multilingualRequestSchema = v.strictObject({
  name,
  dictionaries: v.pipe(dictionaries, v.minLength(1)),
})
/** What is left out stays; entries are added to those of the pair. */
export const multilingualUpdateSchema = v.strictObject({
  name: v.optional(name),
  dictionaries: v.optional(dictionaries, []),
})
export const dictionaryQuerySchema = v.strictObject({ source_lang: language, target_lang: language })

export const glossarySchema = v.strictObject({
  glossary_id: v.string(),
  name: v.string(),
  ready: v.literal(true),
  source_lang: v.string(),
  target_lang: v.string(),
  /** ISO 8601. */
  creation_time: v.string(),
  entry_count: v.number(),
})
export const glossaryListSchema = v.strictObject({ glossaries: v.array(glossarySchema) })
export const dictionarySchema = v.strictObject({
  source_lang: v.string(),
  target_lang: v.string(),
  entry_count: v.number(),
})
export const multilingualSchema = v.strictObject({
  glossary_id: v.string(),
  name: v.string(),
  dictionaries: v.array(dictionarySchema),
  creation_time: v.string(),
})
export type Multilingual = v.InferOutput<typeof multilingualSchema>
export const multilingualListSchema = v.strictObject({ glossaries: v.array(multilingualSchema) })
export const dictionaryEntriesSchema = v.strictObject({
  dictionaries: v.array(
    v.strictObject({
      source_lang: v.string(),
      target_lang: v.string(),
      entries: v.string(),
      entries_format: v.literal('tsv'),
    }),
  ),
})
