/** A document on its way: it is checked, sent, asked about, and fetched. It goes on after the page was reloaded. */
import { batch, signal } from '@preact/signals'
import * as v from 'valibot'
import { LIMITS } from '#protocol/limits.ts'
import { text } from '../../text-translate.ts'
import { type DocumentHandle, type DocumentRequest, DocumentsApi } from '../../transport/documents.ts'
import { RequestFailure } from '../../transport/failure.ts'
import type { Http } from '../../transport/http.ts'
import { FileProblem, Task } from '../task.ts'

const KEY = 'tandem-document'
const LOOK_MS = 1_000
const KIND = /\.(?:txt|html?|srt|xlf|xliff|docx)$/i

const keptSchema = v.object({
  name: v.string(),
  target: v.string(),
  startedAt: v.number(),
  handle: v.object({ document_id: v.string(), document_key: v.string() }),
})
type Kept = v.InferOutput<typeof keptSchema>

export type DocumentStage = 'sending' | 'queued' | 'translating' | 'done' | 'cancelled' | 'failed' | 'gone'

export class TranslatedDocument {
  /** Null: there is none. */
  readonly stage = signal<DocumentStage | null>(null)
  readonly name = signal('')
  /** What it is translated into. */
  readonly target = signal('')
  /** Since it was sent. */
  readonly seconds = signal(0)
  readonly task = new Task()
  readonly #api: DocumentsApi
  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  #request: DocumentRequest | null = null
  #handle: DocumentHandle | null = null
  /** What was fetched: the server has it no longer. */
  #fetched: Blob | null = null

  constructor(http: Http, storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) {
    this.#api = new DocumentsApi(http)
    this.#storage = storage
  }

  /** Takes up what was on its way before a reload. */
  resume(): void {
    const kept = this.#kept()
    if (this.stage.value !== null || !kept) return
    batch(() => {
      this.name.value = kept.name
      this.target.value = kept.target
      this.stage.value = 'queued'
    })
    this.#handle = kept.handle
    void this.#follow(kept)
  }

  /** What fails is in `task`. */
  async begin(request: DocumentRequest): Promise<void> {
    this.dismiss()
    this.#request = request
    const { file, target } = request
    batch(() => {
      this.name.value = file.name
      this.target.value = target
      this.seconds.value = 0
      this.stage.value = 'sending'
    })
    const sent = await this.task.run(async (signal) => {
      requireDocument(file)
      this.#handle = await this.#api.send(request, signal)
    })
    if (!sent || !this.#handle) return this.#failed()
    const kept = { name: file.name, target, startedAt: Date.now(), handle: this.#handle }
    this.#storage.setItem(KEY, JSON.stringify(kept))
    await this.#follow(kept)
  }

  /** Says why a file cannot even be sent. */
  refuse(name: string, why: string): void {
    this.dismiss()
    batch(() => {
      this.name.value = name
      this.stage.value = 'failed'
      this.task.failure.value = new FileProblem(why)
    })
  }

  /** Sends it again, if the page still has it. */
  get again(): (() => Promise<void>) | null {
    const request = this.#request
    return request && (() => this.begin(request))
  }

  /** Ends the work at the server, too. */
  async cancel(): Promise<void> {
    this.task.stop()
    this.stage.value = 'cancelled'
    await this.#giveUp()
  }

  /** Nothing is shown any more; what is on its way is given up. */
  dismiss(): void {
    this.task.stop()
    this.task.failure.value = null
    this.#request = null
    this.stage.value = null
    this.#fetched = null
    void this.#giveUp()
  }

  /** The translation, as a file. Undefined if it fails; `task` says why. */
  async fetch(): Promise<File | undefined> {
    await this.task.run(async (signal) => {
      if (this.#fetched || !this.#handle) return
      this.#fetched = await this.#api.fetch(this.#handle, signal)
      this.#forget()
    })
    if (RequestFailure.from(this.task.failure.value).status === 404) this.#gone()
    return this.#fetched ? new File([this.#fetched], translatedName(this.name.value, this.target.value)) : undefined
  }

  async #follow({ handle, startedAt }: Kept): Promise<void> {
    const ended = await this.task.run(async (signal) => {
      for (;;) {
        const { status, error_message } = await this.#status(handle, signal)
        if (status === 'error') throw new FileProblem(error_message ?? '')
        batch(() => {
          this.stage.value = status
          this.seconds.value = Math.round((Date.now() - startedAt) / 1000)
        })
        if (status === 'done') return
        await pause(LOOK_MS, signal)
      }
    })
    if (ended || this.stage.value === 'cancelled' || this.stage.value === null) return
    if (RequestFailure.from(this.task.failure.value).status === 404) this.#gone()
    else this.#failed()
  }

  /** Asks again while the line is broken: the work goes on. */
  async #status(handle: DocumentHandle, signal: AbortSignal) {
    for (;;) {
      try {
        return await this.#api.status(handle, signal)
      } catch (error) {
        if (!RequestFailure.from(error).away || signal.aborted) throw error
        await pause(2 * LOOK_MS, signal)
      }
    }
  }

  #failed(): void {
    if (this.stage.value === 'cancelled' || this.stage.value === null) return
    this.stage.value = 'failed'
    this.#forget()
  }

  #gone(): void {
    this.stage.value = 'gone'
    this.task.failure.value = null
    this.#forget()
  }

  async #giveUp(): Promise<void> {
    const handle = this.#handle
    this.#forget()
    // What is gone already need not be given up.
    if (handle) await this.#api.giveUp(handle).catch(() => undefined)
  }

  #forget(): void {
    this.#handle = null
    this.#storage.removeItem(KEY)
  }

  #kept(): Kept | null {
    const kept = this.#storage.getItem(KEY)
    try {
      return kept === null ? null : v.parse(keptSchema, JSON.parse(kept))
    } catch {
      return null
    }
  }
}

/** `letter.fr.docx` of `letter.docx`. */
export function translatedName(name: string, target: string): string {
  return name.replace(/\.(\w+)$/, `.${target}.$1`)
}

/** @throws FileProblem for one that would be refused */
export function requireDocument({ name, size }: Pick<File, 'name' | 'size'>): void {
  if (!KIND.test(name)) throw new FileProblem(text.document.wrongKind(name))
  if (size === 0) throw new FileProblem(text.document.empty(name))
  if (size > LIMITS.documentBytes) throw new FileProblem(text.document.tooLarge(name, size, LIMITS.documentBytes))
}

/** @throws the signal's reason, when it is aborted meanwhile */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
