/** Texts and their languages: LibreTranslate's `/languages`, `/detect` and `/translate`, DeepL's `/v2/translate`. */
import * as v from 'valibot'
import { LIMITS } from '#protocol/limits.ts'
import { eventOf } from './event-of.ts'
import { RequestFailure } from './failure.ts'
import type { Http } from './http.ts'
import { readEvents } from './sse.ts'

const languagesSchema = v.array(v.object({ code: v.string(), name: v.string(), targets: v.array(v.string()) }))
/** What can be translated, and into what. */
export type Language = v.InferOutput<typeof languagesSchema>[number]

const modelsSchema = v.object({
  data: v.array(
    v.object({
      id: v.string(),
      task: v.string(),
      source_language: v.optional(v.string()),
      target_language: v.optional(v.string()),
    }),
  ),
})

/** One that translates, from a language into another. */
export interface TranslationModel {
  readonly id: string
  readonly source: string
  readonly target: string
}

const translationsSchema = v.object({
  translations: v.array(v.object({ text: v.string(), detected_source_language: v.string() })),
})
/** In a stream: more of a text's translation. */
const pieceSchema = v.object({ object: v.literal('translation.piece'), index: v.number(), text: v.string() })
const streamedSchema = v.union([pieceSchema, translationsSchema])
const alternativesSchema = v.object({ translatedText: v.string(), alternatives: v.optional(v.array(v.string()), []) })
const detectionsSchema = v.array(v.object({ language: v.string() }))

export interface TranslationRequest {
  readonly texts: readonly string[]
  /** ISO 639-1; null: it is found out of each text. */
  readonly source: string | null
  readonly target: string
  /** Of the owner's; it needs a source. */
  readonly glossary: string | null
  /** Null: the newest of one's own for the languages, or else the one that ships. */
  readonly model: string | null
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

  /** Those that runners have, and one's own. */
  async models(signal: AbortSignal): Promise<readonly TranslationModel[]> {
    const { data } = await this.#http.json(modelsSchema, 'GET', '/v1/models', { signal })
    return data.flatMap(({ id, task, source_language: source, target_language: target }) =>
      task === 'translation' && source !== undefined && target !== undefined ? [{ id, source, target }] : [],
    )
  }

  async translate(request: TranslationRequest, signal: AbortSignal): Promise<Translations> {
    const body = bodyOf(request)
    const answer = await this.#http.json(translationsSchema, 'POST', '/v2/translate', { body, signal })
    return wholeOf(answer, request)
  }

  /** As `translate`, of texts in one language: yields those that are there whenever there is another, and last all. */
  async *translateEach(
    request: TranslationRequest & { readonly source: string },
    signal: AbortSignal,
  ): AsyncGenerator<Translations, void, undefined> {
    const body = { ...bodyOf(request), stream: true }
    const response = await this.#http.send('POST', '/v2/translate', { body, signal })
    if (!response.body) throw new RequestFailure('broken')
    const texts: string[] = []
    for await (const data of readEvents(response.body)) {
      const event = eventOf(streamedSchema, data)
      if ('translations' in event) return yield wholeOf(event, request)
      // They come in order: whatever was before the newest is whole.
      if (event.index > 0 && event.index === texts.length) yield { texts: [...texts], source: request.source }
      texts[event.index] = (texts[event.index] ?? '') + event.text
    }
    signal.throwIfAborted()
    throw new RequestFailure('broken')
  }

  /** Translations of a sentence, the likeliest first, without those that are the same. */
  async alternatives(
    sentence: string,
    { source, target, model }: { readonly source: string; readonly target: string; readonly model: string | null },
    signal: AbortSignal,
  ): Promise<string[]> {
    const languages = { source, target, ...(model === null ? {} : { model }) }
    const body = { q: sentence, ...languages, alternatives: LIMITS.translationAlternatives }
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

function bodyOf({ texts, source, target, glossary, model }: TranslationRequest) {
  return {
    text: texts,
    target_lang: target.toUpperCase(),
    ...(source === null ? {} : { source_lang: source.toUpperCase() }),
    ...(glossary === null || source === null ? {} : { glossary_id: glossary }),
    ...(model === null ? {} : { model }),
  }
}

function wholeOf(
  { translations }: v.InferOutput<typeof translationsSchema>,
  { texts, source, target }: TranslationRequest,
): Translations {
  if (translations.length !== texts.length) throw new RequestFailure('malformed')
  return {
    texts: translations.map(({ text }) => text),
    source: translations[0]?.detected_source_language.toLowerCase() ?? source ?? target,
  }
}
