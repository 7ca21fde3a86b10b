/** Texts and their languages: LibreTranslate's `/languages`, `/detect` and `/translate`, DeepL's `/v2/translate`. */
import * as v from 'valibot'
import { LIMITS } from '#protocol/limits.ts'
import type { Http } from './http.ts'

const languagesSchema = v.array(v.object({ code: v.string(), name: v.string(), targets: v.array(v.string()) }))
/** What can be translated, and into what. */
export type Language = v.InferOutput<typeof languagesSchema>[number]

const translationsSchema = v.object({
  translations: v.array(v.object({ text: v.string(), detected_source_language: v.string() })),
})
const alternativesSchema = v.object({ translatedText: v.string(), alternatives: v.optional(v.array(v.string()), []) })
const detectionsSchema = v.array(v.object({ language: v.string() }))

export interface TranslationRequest {
  readonly texts: readonly string[]
  /** ISO 639-1; null: it is found out of each text. */
  readonly source: string | null
  readonly target: string
  /** Of the owner's; it needs a source. */
  readonly glossary: string | null
}

export interface Translations {
  /** In order. */
  readonly texts: readonly string[]
  /** Of the first text. */
  readonly source: string
}

/** All throw RequestFailure. */
export class TranslationApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  async languages(signal: AbortSignal): Promise<readonly Language[]> {
    return this.#http.json(languagesSchema, 'GET', '/languages', { signal })
  }

  async translate(request: TranslationRequest, signal: AbortSignal): Promise<Translations> {
    const { texts, source, target, glossary } = request
    const body = {
      text: texts,
      target_lang: target.toUpperCase(),
      ...(source === null ? {} : { source_lang: source.toUpperCase() }),
      ...(glossary === null || source === null ? {} : { glossary_id: glossary }),
    }
    const { translations } = await this.#http.json(translationsSchema, 'POST', '/v2/translate', { body, signal })
    return {
      texts: translations.map(({ text }) => text),
      source: translations[0]?.detected_source_language.toLowerCase() ?? source ?? target,
    }
  }

  /** Other translations of a sentence, without those that are the same. */
  async alternatives(sentence: string, source: string, target: string, signal: AbortSignal): Promise<string[]> {
    const body = { q: sentence, source, target, alternatives: LIMITS.translationAlternatives }
    const { translatedText, alternatives } = await this.#http.json(alternativesSchema, 'POST', '/translate', {
      body,
      signal,
    })
    return [...new Set([translatedText, ...alternatives])]
  }

  /** The likeliest; null if nothing speaks for any. */
  async detect(text: string, signal: AbortSignal): Promise<string | null> {
    const found = await this.#http.json(detectionsSchema, 'POST', '/detect', { body: { q: text }, signal })
    return found[0]?.language ?? null
  }
}
