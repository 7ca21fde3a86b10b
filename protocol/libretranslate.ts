/** LibreTranslate's API (https://docs.libretranslate.com), in JSON or as a form; the key may stand in the body as `api_key`. */
import * as v from 'valibot'
import { formFlagSchema } from './form-flag.ts'
import { languageCodeSchema } from './language-code.ts'
import { LIMITS } from './limits.ts'
import { textSchema } from './text.ts'
import { translationModelSchema } from './translation.ts'

const text = v.pipe(textSchema, v.minLength(1))
const numeral = v.pipe(v.string(), v.regex(/^\d$/), v.transform(Number))
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LIMITS.translationAlternatives))
/** It has been read when the caller was let in. */
const apiKey = v.optional(v.string())

export const libreRequestSchema = v.strictObject({
  q: v.union([text, v.pipe(v.array(text), v.minLength(1), v.maxLength(LIMITS.libreTexts))]),
  /** `auto`: each text's own is found out. */
  source: v.union([v.literal('auto'), languageCodeSchema]),
  target: languageCodeSchema,
  format: v.optional(v.picklist(['text', 'html']), 'text'),
  /** Other translations that are wanted. */
  alternatives: v.optional(v.union([count, v.pipe(numeral, count)]), 0),
  /** Ours: as `model` of DeepL's route. */
  model: v.optional(translationModelSchema),
  /** Ours: as `stream` of DeepL's route. */
  stream: formFlagSchema,
  api_key: apiKey,
})
export type LibreRequest = v.InferOutput<typeof libreRequestSchema>

const detectionSchema = v.strictObject({
  /** Of 100. */
  confidence: v.number(),
  language: v.string(),
})
const oneOrMany = <T extends v.GenericSchema>(schema: T) => v.union([schema, v.array(schema)])
export const libreAnswerSchema = v.strictObject({
  translatedText: oneOrMany(v.string()),
  detectedLanguage: v.optional(oneOrMany(detectionSchema)),
  alternatives: v.optional(v.union([v.array(v.string()), v.array(v.array(v.string()))])),
})
export type LibreAnswer = v.InferOutput<typeof libreAnswerSchema>

export const detectRequestSchema = v.strictObject({ q: text, api_key: apiKey })
export const detectionsSchema = v.array(detectionSchema)

export const libreLanguagesSchema = v.array(
  v.strictObject({ code: v.string(), name: v.string(), targets: v.array(v.string()) }),
)
const nameSchema = v.strictObject({ code: v.string(), name: v.string() })
export const libreSettingsSchema = v.strictObject({
  apiKeys: v.boolean(),
  /** In UTF-16 code units. */
  charLimit: v.number(),
  filesTranslation: v.boolean(),
  frontendTimeout: v.number(),
  keyRequired: v.boolean(),
  language: v.strictObject({ source: nameSchema, target: nameSchema }),
  suggestions: v.boolean(),
  supportedFilesFormat: v.array(v.string()),
})

/** The fields of the form beside `file`. */
export const libreFileFieldsSchema = v.strictObject({
  source: v.union([v.literal('auto'), languageCodeSchema]),
  target: languageCodeSchema,
  model: v.optional(translationModelSchema),
  api_key: apiKey,
})
export const libreFileFormSchema = v.strictObject({
  ...libreFileFieldsSchema.entries,
  file: v.instance(Uint8Array<ArrayBufferLike>),
})
export const libreFileAnswerSchema = v.strictObject({ translatedFileUrl: v.string() })
