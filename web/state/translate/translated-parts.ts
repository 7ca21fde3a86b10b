/** The translations of a text's parts: asked for in order, several at a time, and each once. */
import type { TranslationApi } from '../../transport/translation.ts'
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

/** Of one request: enough for a runner to be busy with, and soon there. */
const AT_A_TIME = { parts: 8, length: 3000 }
const MOST_KNOWN = 500

export class TranslatedParts {
  readonly #api: TranslationApi
  readonly #known = new Map<string, Known>()

  constructor(api: TranslationApi) {
    this.#api = api
  }

  /**
   * Yields what there is after each request, and once if nothing has to be asked for.
   * @throws RequestFailure
   */
  async *translate(request: PartsRequest, signal: AbortSignal): AsyncGenerator<PartsSoFar, void, undefined> {
    const { parts } = request
    let { source } = request
    const done: TranslatedPart[] = []
    while (done.length < parts.length) {
      const asked = { ...request, source }
      const group = this.#nextGroup(parts.slice(done.length), asked)
      if (group.length > 0) {
        const texts = group.map(({ text }) => text)
        const answer = await this.#api.translate({ ...asked, texts }, signal)
        for (const [i, text] of texts.entries()) {
          this.#learn(keyOf(asked, text), { translation: answer.texts[i] ?? '', source: answer.source })
        }
      }
      for (const part of parts.slice(done.length)) {
        const known = part.text === '' ? null : this.#known.get(keyOf({ ...request, source }, part.text))
        if (known === undefined) break
        source ??= known?.source ?? null
        done.push({ ...part, translation: known?.translation ?? '' })
      }
      if (group.length > 0 || done.length === parts.length) yield { parts: done, source: source ?? request.target }
    }
  }

  /** Those that are asked for next; the first alone while the language is to be found out. */
  #nextGroup(parts: readonly Part[], request: Omit<PartsRequest, 'parts'>): Part[] {
    const group: Part[] = []
    let length = 0
    for (const part of parts) {
      if (part.text === '' || this.#known.has(keyOf(request, part.text))) {
        if (request.source === null && part.text !== '') return group
        continue
      }
      group.push(part)
      length += part.text.length
      if (request.source === null || group.length === AT_A_TIME.parts || length >= AT_A_TIME.length) break
    }
    return group
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
