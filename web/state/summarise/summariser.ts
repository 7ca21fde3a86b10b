/** A text and its summary, which comes sentence by sentence and can be stopped. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import { LIMITS } from '#protocol/limits.ts'
import type { Http } from '../../transport/http.ts'
import { type Length, type Style, type Summary, type SummarySentence, summarise } from '../../transport/summaries.ts'
import { TranslationApi } from '../../transport/translation.ts'
import { againWhenAway } from '../again-when-away.ts'
import type { ServerState } from '../server-state.ts'
import { FileProblem, Task } from '../task.ts'
import { keep, type KeptSummary, readKept } from './kept-summary.ts'
import { text as words } from '../../text-summarise.ts'

export const LENGTHS = {
  sentences: { least: 1, most: 10, step: 1 },
  words: { least: 20, most: 400, step: 10 },
} as const
/** UTF-16 code units that a language is found out of. */
const DETECTED_LENGTH = 2_000
const FALLBACK_LANGUAGE = 'en'
/** Of a request, beside the text. */
const OTHER_BYTES = 1_000
const TEXT_FILE = /\.(?:txt|md)$/i

/** Beside its sentences. */
export interface SummaryFacts extends Pick<Summary, 'degraded' | 'unsupported'> {
  readonly style: Style
}

export interface SummariserOptions {
  readonly http: Http
  readonly server: ServerState
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>
}

export class Summariser {
  readonly text = signal('')
  readonly style = signal<Style>('extractive')
  readonly unit = signal<keyof typeof LENGTHS>('sentences')
  readonly amounts = signal({ sentences: 3, words: 100 })
  /** BCP 47; null: it is found out. */
  readonly language = signal<string | null>(null)
  readonly detected = signal<string | null>(null)
  readonly sentences = signal<readonly SummarySentence[]>([])
  /** Of a summary that has come to its end. */
  readonly facts = signal<SummaryFacts | null>(null)
  /** Pieces of the text that were read. */
  readonly progress = signal<{ done: number; total: number } | null>(null)
  readonly stopped = signal(false)
  /** Which sentence's places in the text are shown. */
  readonly chosen = signal<number | null>(null)
  readonly task = new Task()
  readonly summary: ReadonlySignal<string> = computed(() => this.sentences.value.map(({ text }) => text).join(' '))
  /** Whether the text was changed since. */
  readonly outdated: ReadonlySignal<boolean> = computed(
    () => this.sentences.value.length > 0 && this.#summarised.value !== this.text.value,
  )
  /** The places that are shown, in order. */
  readonly spans = computed(() => {
    const { value: chosen } = this.chosen
    if (chosen === null || this.outdated.value) return []
    return this.sentences.value[chosen]?.source.toSorted((a, b) => a.start - b.start) ?? []
  })
  readonly #options: SummariserOptions
  /** What the sentences are of. */
  readonly #summarised = signal('')

  constructor(options: SummariserOptions) {
    this.#options = options
    this.#restore(readKept(options.storage))
    againWhenAway(this.task, options.server, () => void this.run())
  }

  get length(): Length {
    return this.unit.value === 'sentences'
      ? { sentences: this.amounts.value.sentences }
      : { words: this.amounts.value.words }
  }

  type(text: string): void {
    batch(() => {
      this.text.value = text
      this.detected.value = null
      this.task.failure.value = null
      if (text === '') this.#clear()
    })
  }

  /** Reads a file's text into its place. What is wrong with it is in `task`. */
  async open(file: File): Promise<boolean> {
    this.task.stop()
    return this.task.run(async () => {
      if (!TEXT_FILE.test(file.name)) throw new FileProblem(words.file.wrongKind(file.name))
      if (file.size > LIMITS.bodyBytes)
        throw new FileProblem(words.file.tooLarge(file.name, file.size, LIMITS.bodyBytes))
      const text = await file.text()
      if (text.trim() === '') throw new FileProblem(words.file.empty(file.name))
      this.type(text)
    })
  }

  async run(): Promise<void> {
    const text = this.text.value
    if (text.trim() === '') return
    const { value: style } = this.style
    batch(() => {
      this.#clear()
      this.#summarised.value = text
      this.progress.value = null
    })
    await this.task.run(async (signal) => {
      requireFitting(text)
      const language = this.language.value ?? (await this.#detect(text, signal))
      const request = { input: text, style, length: this.length, language }
      for await (const event of summarise(this.#options.http, request, signal)) {
        if (event.object === 'summary.progress') this.progress.value = { done: event.done, total: event.total }
        else if (event.object === 'summary.sentence') this.sentences.value = [...this.sentences.value, event.sentence]
        else {
          const { sentences, degraded, unsupported } = event
          batch(() => {
            this.sentences.value = sentences
            this.facts.value = { style, degraded, unsupported }
          })
        }
      }
    })
    this.progress.value = null
    this.keep()
  }

  stop(): void {
    if (!this.task.busy.value && this.task.failure.value === null) return
    this.task.stop()
    batch(() => {
      this.task.failure.value = null
      this.progress.value = null
      this.stopped.value = true
    })
  }

  /** Writes down what is there, for after a reload. */
  keep(): void {
    const facts = this.outdated.value ? null : this.facts.value
    keep(this.#options.storage, {
      text: this.text.value,
      style: this.style.value,
      unit: this.unit.value,
      ...this.amounts.value,
      language: this.language.value,
      summary: facts && { ...facts, sentences: [...this.sentences.value] },
    })
  }

  /** That it cannot be found out stops nothing: it says how sentences end, and most end alike. */
  async #detect(text: string, signal: AbortSignal): Promise<string> {
    const api = new TranslationApi(this.#options.http)
    this.detected.value = await api.detect(text.slice(0, DETECTED_LENGTH).toWellFormed(), signal)
    return this.detected.value ?? FALLBACK_LANGUAGE
  }

  #clear(): void {
    this.sentences.value = []
    this.facts.value = null
    this.chosen.value = null
    this.stopped.value = false
  }

  #restore({ text, style, unit, sentences, words, language, summary }: KeptSummary): void {
    this.text.value = text
    this.style.value = style
    this.unit.value = unit
    this.amounts.value = { sentences, words }
    this.language.value = language
    if (!summary) return
    this.#summarised.value = text
    this.sentences.value = summary.sentences
    this.facts.value = summary
  }
}

/** @throws FileProblem for a text that the server would not read */
function requireFitting(text: string): void {
  const bytes = new TextEncoder().encode(JSON.stringify(text)).length + OTHER_BYTES
  if (bytes > LIMITS.bodyBytes) throw new FileProblem(words.tooLong(bytes, LIMITS.bodyBytes))
}
