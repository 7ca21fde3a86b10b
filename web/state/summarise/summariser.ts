/** A text and its summary, which comes sentence by sentence and can be stopped. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import { LIMITS } from '#protocol/limits.ts'
import { FilesApi } from '../../transport/files.ts'
import type { Http } from '../../transport/http.ts'
import {
  type Length,
  type Style,
  type Summary,
  type SummaryRequest,
  type SummarySentence,
  summarise,
} from '../../transport/summaries.ts'
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
/** Read here … */
const TEXT_FILE = /\.(?:txt|md)$/i
/** … and by the server. */
const OTHER_FILE = /\.(?:html?|docx|pdf)$/i

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
  /** The file that is being summarised: its text is not here yet. */
  readonly file = signal<File | null>(null)
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
      this.file.value = null
      this.detected.value = null
      this.task.failure.value = null
      if (text === '') this.#clear()
    })
  }

  /** Summarises a file: its text takes the place of the text. What is wrong with it is in `task`. */
  async open(file: File): Promise<void> {
    const opened = await this.task.run(async () => {
      requireFile(file)
      if (TEXT_FILE.test(file.name)) this.type(await readText(file))
      else {
        this.type('')
        this.file.value = file
      }
    })
    if (opened) await this.run()
  }

  /** Whether there is something to summarise. */
  get isReady(): boolean {
    return this.file.value !== null || this.text.value.trim() !== ''
  }

  async run(): Promise<void> {
    if (!this.isReady) return
    const text = this.text.value
    const file = this.file.value
    const { value: style } = this.style
    batch(() => {
      this.#clear()
      this.#summarised.value = text
      this.progress.value = null
    })
    await this.task.run(async (signal) => {
      if (file) await this.#fileSummary(file, style, signal)
      else await this.#textSummary(text, style, signal)
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

  async #textSummary(text: string, style: Style, signal: AbortSignal): Promise<void> {
    requireFitting(text)
    const language = this.language.value ?? (await this.#detect(text, signal))
    await this.#follow({ source: { input: text }, style, length: this.length, language }, signal)
  }

  /** The server reads it, and has it no longer than that takes. */
  async #fileSummary(file: File, style: Style, signal: AbortSignal): Promise<void> {
    const files = new FilesApi(this.#options.http)
    const { id } = await files.add(file, 'user_data', signal)
    try {
      const language = this.language.value ?? FALLBACK_LANGUAGE
      await this.#follow({ source: { file_id: id }, style, length: this.length, language }, signal)
    } finally {
      await files.remove(id)
    }
  }

  async #follow(request: SummaryRequest, signal: AbortSignal): Promise<void> {
    for await (const event of summarise(this.#options.http, request, signal)) {
      if (event.object === 'summary.progress') this.progress.value = { done: event.done, total: event.total }
      else if (event.object === 'summary.sentence') this.sentences.value = [...this.sentences.value, event.sentence]
      else {
        const { sentences, degraded, unsupported, input } = event
        batch(() => {
          if (input !== undefined) {
            this.type(input)
            this.#summarised.value = input
          }
          this.sentences.value = sentences
          this.facts.value = { style: request.style, degraded, unsupported }
        })
      }
    }
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

/** @throws FileProblem for one that would be refused */
function requireFile({ name, size }: File): void {
  const isText = TEXT_FILE.test(name)
  if (!isText && !OTHER_FILE.test(name)) throw new FileProblem(words.file.wrongKind(name))
  if (size === 0) throw new FileProblem(words.file.empty(name))
  const most = isText ? LIMITS.bodyBytes : LIMITS.summaryFileBytes
  if (size > most) throw new FileProblem(words.file.tooLarge(name, size, most))
}

/** @throws FileProblem for one without words */
async function readText(file: File): Promise<string> {
  const text = await file.text()
  if (text.trim() === '') throw new FileProblem(words.file.empty(file.name))
  return text
}

/** @throws FileProblem for a text that the server would not read */
function requireFitting(text: string): void {
  const bytes = new TextEncoder().encode(JSON.stringify(text)).length + OTHER_BYTES
  if (bytes > LIMITS.bodyBytes) throw new FileProblem(words.tooLong(bytes, LIMITS.bodyBytes))
}
