/** A text that is translated as it is typed: what overtakes a request ends it, and what is known is not asked for again. */
import { batch, computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals'
import { RequestFailure } from '../../transport/failure.ts'
import type { Http } from '../../transport/http.ts'
import { TranslationApi } from '../../transport/translation.ts'
import { againWhenAway } from '../again-when-away.ts'
import type { ServerState } from '../server-state.ts'
import { Task } from '../task.ts'
import { fromQuery, keep, type KeptTranslation, readKept, toQuery } from './kept-translation.ts'
import { Languages } from './languages.ts'
import { type Pair, pairsOf, partsOf } from './parts.ts'
import { TranslatedParts } from './translated-parts.ts'

/** UTF-16 code units; what is longer can be translated as a document. */
export const MOST_LENGTH = 50_000
/** After the last key, before anything is asked. */
const PAUSE_MS = 300

/** How much of a long text is translated, in UTF-16 code units. */
export interface Progress {
  readonly done: number
  readonly total: number
}

export interface TranslatorOptions {
  readonly http: Http
  readonly server: ServerState
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>
  /** Told what the address should say. */
  readonly onQuery: (query: string) => void
}

export class Translator {
  readonly languages: Languages
  readonly text = signal('')
  /** Null: it is found out. */
  readonly source = signal<string | null>(null)
  readonly target = signal<string | null>(null)
  readonly glossary = signal<string | null>(null)
  /** Null: whichever is for the languages. */
  readonly model = signal<string | null>(null)
  /** What the source was found to be. */
  readonly detected = signal<string | null>(null)
  /** The language of the text, as far as it is known. */
  readonly from: ReadonlySignal<string | null> = computed(() => this.source.value ?? this.detected.value)
  readonly pairs = signal<readonly Pair[]>([])
  readonly translation: ReadonlySignal<string> = computed(() =>
    this.pairs.value.map(({ before, translation, after }) => before + translation + after).join(''),
  )
  readonly progress = signal<Progress | null>(null)
  /** Whether it was stopped before its end. */
  readonly stopped = signal(false)
  /** What the text seems to be in, if nothing translates that into the target. */
  readonly impossible = signal<string | null>(null)
  readonly task = new Task()
  /** Whether the text is in the target's language already. */
  readonly same: ReadonlySignal<boolean> = computed(
    () => this.detected.value !== null && this.source.value === null && this.detected.value === this.target.value,
  )
  readonly tooLong: ReadonlySignal<boolean> = computed(() => this.text.value.length > MOST_LENGTH)
  readonly #api: TranslationApi
  readonly #parts: TranslatedParts
  readonly #options: TranslatorOptions
  /** Translations that were chosen instead of the first, by what they are of. */
  readonly #chosen = new Map<string, string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #query = ''

  constructor(options: TranslatorOptions) {
    const { http, server, storage } = options
    this.#options = options
    this.#api = new TranslationApi(http)
    this.#parts = new TranslatedParts(this.#api)
    this.languages = new Languages(this.#api, server)
    this.#take(readKept(storage))
    effect(() => {
      if (this.languages.all.value === null) return
      untracked(() => {
        this.#settleLanguages()
        void this.#run()
      })
    })
    againWhenAway(this.task, server, () => void this.#run())
  }

  /** Takes what an address says, unless it is what was written there. */
  follow(query: string): void {
    if (query === this.#query) return
    this.#query = query
    const asked = fromQuery(query)
    if (Object.keys(asked).length > 0) this.change(asked)
  }

  /** Translates anew, a moment after the last change. */
  change(changed: Partial<KeptTranslation>): void {
    batch(() => {
      this.#take(changed)
      if (changed.text !== undefined && this.source.value === null && changed.text.trim() === '') {
        this.detected.value = null
      }
      this.stopped.value = false
      this.impossible.value = null
      this.#settleLanguages()
    })
    this.task.stop()
    this.progress.value = null
    if (this.tooLong.value) this.pairs.value = []
    clearTimeout(this.#timer)
    if (this.text.value.trim() === '') {
      this.pairs.value = []
      this.keep()
    } else this.#timer = setTimeout(() => void this.#run(), PAUSE_MS)
  }

  /** Whether what is translated could be translated back. */
  get canSwap(): boolean {
    const { value: target } = this.target
    const source = this.from.value ?? this.#other(target)
    return target !== null && source !== null && this.languages.targetsOf(target).includes(source)
  }

  /** The languages change places, and so do the texts. */
  swap(): void {
    const { value: target } = this.target
    const source = this.from.value ?? this.#other(target)
    if (!this.canSwap || source === null) return
    this.change({
      source: target,
      target: source,
      text: this.translation.value || this.text.value,
      glossary: null,
      model: null,
    })
  }

  stop(): void {
    clearTimeout(this.#timer)
    if (!this.task.busy.value && this.task.failure.value === null) return
    this.task.stop()
    batch(() => {
      this.task.failure.value = null
      this.progress.value = null
      this.stopped.value = true
    })
  }

  async goOn(): Promise<void> {
    this.stopped.value = false
    await this.#run()
  }

  /** A glossary has other terms now. */
  async forget(): Promise<void> {
    this.#parts.forget()
    if (this.glossary.value !== null) await this.#run()
  }

  /** @throws RequestFailure */
  async alternatives({ source }: Pair, signal: AbortSignal): Promise<readonly string[]> {
    const { value: from } = this.from
    const { value: target } = this.target
    if (from === null || target === null) return []
    return this.#api.alternatives(source, { source: from, target, model: this.model.value }, signal)
  }

  choose(pair: Pair, translation: string): void {
    this.#chosen.set(this.#nameOf(pair.source), translation)
    this.pairs.value = this.pairs.value.map((one) => (one.source === pair.source ? { ...one, translation } : one))
  }

  /** Writes down what is there, for the address and for after a reload. */
  keep(): void {
    const kept = {
      text: this.text.value,
      source: this.source.value,
      target: this.target.value,
      glossary: this.glossary.value,
      model: this.model.value,
    }
    keep(this.#options.storage, kept)
    this.#query = toQuery(kept)
    this.#options.onQuery(this.#query)
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer)
    this.keep()
    const { value: target } = this.target
    const text = this.text.value
    if (target === null || text.trim() === '' || this.tooLong.value) return
    const request = {
      parts: partsOf(text),
      source: this.source.value,
      target,
      glossary: this.glossary.value,
      model: this.model.value,
    }
    const done = await this.task.run(async (signal) => {
      try {
        for await (const { parts, source } of this.#parts.translate(request, signal)) {
          const length = parts.reduce((sum, part) => sum + part.before.length + part.text.length + part.after.length, 0)
          const languages = { source, target }
          batch(() => {
            if (request.source === null) this.detected.value = source
            this.progress.value = parts.length < request.parts.length ? { done: length, total: text.length } : null
            this.pairs.value = parts.flatMap((part) => [
              { source: '', translation: '', before: part.before, after: '' },
              ...pairsOf(part.text, part.translation, languages).map((pair) => this.#asChosen(pair)),
              { source: '', translation: '', before: part.after, after: '' },
            ])
          })
        }
      } catch (error) {
        const { status } = RequestFailure.from(error)
        if (status !== 400 || request.source !== null) throw error
        // The language is known best by whoever can be asked for it alone.
        const language = await this.#api.detect(text.slice(0, MOST_LENGTH), signal)
        if (language === null || this.languages.targetsOf(language).includes(target)) throw error
        batch(() => {
          this.impossible.value = language
          this.pairs.value = []
        })
      }
    })
    if (done) this.progress.value = null
  }

  #take({ text, source, target, glossary, model }: Partial<KeptTranslation>): void {
    if (text !== undefined) this.text.value = text
    if (source !== undefined && source !== this.source.peek()) {
      this.source.value = source
      this.detected.value = null
    }
    if (target !== undefined) this.target.value = target
    if (glossary !== undefined) this.glossary.value = glossary
    if (model !== undefined) this.model.value = model
  }

  /** What is chosen may not be there, or not together. */
  #settleLanguages(): void {
    const { languages } = this
    const all = languages.all.peek()
    if (!all || all.length === 0) return
    const source = this.source.peek()
    if (source !== null && !all.some(({ code }) => code === source)) this.source.value = null
    const possible = languages.targetsOf(this.source.peek()).filter((code) => code !== this.source.peek())
    const target = this.target.peek()
    if (target === null || !possible.includes(target)) {
      this.target.value = possible.find((code) => code !== 'en') ?? possible[0] ?? null
    }
    const models = languages.modelsOf(this.source.peek(), this.target.peek())
    if (!models.some(({ id }) => id === this.model.peek())) this.model.value = null
  }

  /** What is likely translated into a language. */
  #other(target: string | null): string | null {
    const all = this.languages.all.value ?? []
    return target === null ? null : (all.find(({ targets }) => targets.includes(target))?.code ?? null)
  }

  #asChosen(pair: Pair): Pair {
    const translation = this.#chosen.get(this.#nameOf(pair.source))
    return translation === undefined ? pair : { ...pair, translation }
  }

  #nameOf(sentence: string): string {
    return JSON.stringify([this.from.peek(), this.target.peek(), sentence])
  }
}
