/** The translations of a text's parts: asked for in order, many at a time, and each once. */
import { LIMITS } from '#protocol/limits.ts'
import type { TranslationApi, TranslationRequest, Translations } from '../../transport/translation.ts'
import type { Part } from './parts.ts'

export interface TranslatedPart extends Part {
  readonly translation: string
}

export interface PartsRequest {
  readonly parts: readonly Part[]
  /** Null: it is found out of the first part, and goes for all. */
  readonly source: string | null
  readonly target: string
  readonly glossary: string | null
  /** Null: whichever is for the languages. */
  readonly model: string | null
}

export interface PartsSoFar {
  readonly parts: readonly TranslatedPart[]
  readonly source: string
}

interface Known {
  readonly translation: string
  readonly source: string
}

/** Of one request, as far as the API goes; in UTF-16 code units, of which each may take three bytes. */
const AT_A_TIME = { parts: LIMITS.deeplTexts, length: 30_000 }
const MOST_KNOWN = 500

export class TranslatedParts {
  readonly #api: TranslationApi
  readonly #known = new Map<string, Known>()

  constructor(api: TranslationApi) {
    this.#api = api
  }

  /**
   * Yields what there is whenever there is more, and once if nothing has to be asked for.
   * @throws RequestFailure
   */
  async *translate(request: PartsRequest, signal: AbortSignal): AsyncGenerator<PartsSoFar, void, undefined> {
    const { parts, target } = request
    let { source } = request
    const done: TranslatedPart[] = []
    const take = (): PartsSoFar => {
      for (const part of parts.slice(done.length)) {
        const known = part.text === '' ? null : this.#known.get(keyOf({ ...request, source }, part.text))
        if (known === undefined) break
        source ??= known?.source ?? null
        done.push({ ...part, translation: known?.translation ?? '' })
      }
      return { parts: [...done], source: source ?? target }
    }
    const found = take()
    if (done.length === parts.length) yield found
    while (done.length < parts.length) {
      const asked = { ...request, source }
      const texts = this.#nextTexts(parts.slice(done.length), asked)
      for await (const answer of this.#answers({ ...asked, texts }, signal)) {
        for (const [i, translation] of answer.texts.entries()) {
          this.#learn(keyOf(asked, texts[i] ?? ''), { translation, source: answer.source })
        }
        yield take()
      }
    }
  }

  /** One text comes as a whole, several one after the other. */
  async *#answers(request: TranslationRequest, signal: AbortSignal): AsyncGenerator<Translations, void, undefined> {
    const { source } = request
    if (source === null || request.texts.length === 1) yield await this.#api.translate(request, signal)
    else yield* this.#api.translateEach({ ...request, source }, signal)
  }

  /** Those that are asked for next; the first alone while the language is to be found out. */
  #nextTexts(parts: readonly Part[], request: Omit<PartsRequest, 'parts'>): string[] {
    const unknown = parts.filter(({ text }) => text !== '' && !this.#known.has(keyOf(request, text)))
    const texts = [...new Set(unknown.map(({ text }) => text))]
    let length = 0
    const most = texts.findIndex((text) => {
      length += text.length
      return length > AT_A_TIME.length
    })
    const count = request.source === null ? 1 : Math.min(AT_A_TIME.parts, most < 0 ? texts.length : Math.max(1, most))
    return texts.slice(0, count)
  }

  #learn(key: string, known: Known): void {
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }

  /** What was translated by a glossary that has changed. */
  forget(): void {
    this.#known.clear()
  }
}

const keyOf = ({ source, target, glossary, model }: Omit<PartsRequest, 'parts'>, text: string): string =>
  JSON.stringify([source, target, glossary, model, text])
