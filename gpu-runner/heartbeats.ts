/** Tells the edge every two seconds, and whenever something changes, that this runner is there and how it is. */
import { randomUUID } from 'node:crypto'
import { HEARTBEAT_MS, type Heartbeat, MOST_TOLD, type RunnerReport } from '#protocol/runners.ts'
import type { EndedGenerations } from './ended-generations.ts'

/** While the edge has not been reached yet: it is perhaps just starting. */
const FIRST_MS = 250
const TIMEOUT_MS = 2_000

export type RunnerState = Omit<Heartbeat, 'id' | 'url'>

export interface HeartbeatsOptions {
  /** The edge's address. */
  readonly edge: string
  readonly secret: string
  /** Where the edge reaches this runner. */
  readonly url: string
  readonly describe: () => RunnerState
  /** What each heartbeat tells of, until one has been heard. */
  readonly ended: EndedGenerations
}

export class Heartbeats implements Disposable {
  readonly #options: HeartbeatsOptions
  readonly #id = randomUUID()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Why the last one failed; undefined if it did not. */
  #failure: string | undefined
  #heard = false
  #over = false

  constructor(options: HeartbeatsOptions) {
    this.#options = options
    void this.tell()
  }

  /** Tells of all that has ended; whether all has been heard. */
  async tellAll(): Promise<boolean> {
    const { ended } = this.#options
    do await this.tell()
    while (ended.size > 0 && this.#failure === undefined)
    return ended.size === 0
  }

  /** Says how it is now. A failure is logged, once; the next heartbeat tries again. */
  async tell(): Promise<void> {
    clearTimeout(this.#timer)
    const failure = await this.#send()
    if (failure !== this.#failure) {
      const line = failure === undefined ? { event: 'edge-reached' } : { event: 'edge-not-reached', error: failure }
      // An edge that starts at the same moment is no news.
      if (failure === undefined || this.#heard) console.log(JSON.stringify({ level: 'info', ...line }))
    }
    this.#failure = failure
    this.#heard ||= failure === undefined
    if (this.#over) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.tell(), this.#heard ? HEARTBEAT_MS : FIRST_MS)
    this.#timer.unref()
  }

  async #send(): Promise<string | undefined> {
    const { edge, secret, url, describe, ended } = this.#options
    const told = ended.first(MOST_TOLD)
    const report: RunnerReport = { id: this.#id, url, ...describe(), ended: told }
    try {
      const response = await fetch(new URL('/internal/runners', edge), {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(report),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      const text = await response.text()
      if (response.ok) ended.heard(told)
      return response.ok ? undefined : `status ${response.status}: ${text.slice(0, 300)}`
    } catch (error) {
      return error instanceof Error ? String(error.cause ?? error.message) : String(error)
    }
  }

  [Symbol.dispose](): void {
    this.#over = true
    clearTimeout(this.#timer)
  }
}
