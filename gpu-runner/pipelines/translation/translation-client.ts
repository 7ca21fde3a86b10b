/** Who translates, as the rest of the runner sees it: a thread that is started when something is first asked of it. */
import { ApiError } from '#protocol/error.ts'
import type { TranslateReply, TranslateRequest } from '#protocol/translation.ts'
import { ThreadOnDemand } from '../../thread-on-demand.ts'
import type {
  TranslationCommand,
  TranslationMessage,
  TranslationSource,
  TranslationThreadData,
} from './translation-thread.ts'

/** Requests that may be waiting or running at once, and UTF-16 code units of their texts together. */
const MOST_REQUESTS = 256
const MOST_UNITS = 4 << 20
/** Weight of the newest request in the running average of how quick they are. */
const NEWEST = 0.2
const MOST_RETRY_SECONDS = 60

interface Waiting {
  readonly resolve: (reply: TranslateReply) => void
  readonly reject: (reason: unknown) => void
}

export class TranslationClient implements AsyncDisposable {
  readonly #waiting = new Map<number, Waiting>()
  readonly #thread: ThreadOnDemand<TranslationMessage>
  #nextId = 1
  #units = 0
  #unitsPerSecond = 2_000

  constructor(data: TranslationThreadData) {
    this.#thread = new ThreadOnDemand({
      script: new URL('./translation-thread.ts', import.meta.url),
      data,
      name: 'translation-thread',
      onMessage: (message) => this.#take(message),
      onEnd: (reason) => this.#fail(reason),
    })
  }

  /** Requests that wait or run. */
  get requests(): number {
    return this.#waiting.size
  }

  /**
   * @param signal nobody waits for it any more: it ends between two tokens
   * @throws ApiError `queue_full` with the seconds after which to try again, `model_unavailable`, `runner_failed`; the signal's reason
   */
  async translate(source: TranslationSource, request: TranslateRequest, signal: AbortSignal): Promise<TranslateReply> {
    signal.throwIfAborted()
    const units = request.texts.reduce((sum, { length }) => sum + length, 0)
    if (this.#waiting.size >= MOST_REQUESTS || (this.#units > 0 && this.#units + units > MOST_UNITS)) {
      const retryAfter = Math.min(MOST_RETRY_SECONDS, Math.max(1, Math.ceil(this.#units / this.#unitsPerSecond)))
      throw new ApiError('queue_full', 'As many translations are waiting as may.', { retryAfter })
    }
    const thread = this.#thread.started()
    const id = this.#nextId++
    const cancelled = new Int32Array(new SharedArrayBuffer(4))
    const startedAt = performance.now()
    const { promise, resolve, reject } = Promise.withResolvers<TranslateReply>()
    const cancel = () => {
      Atomics.store(cancelled, 0, 1)
      reject(signal.reason)
    }
    signal.addEventListener('abort', cancel, { once: true })
    this.#units += units
    this.#waiting.set(id, { resolve, reject })
    thread.postMessage({ id, source, request, cancelled } satisfies TranslationCommand)
    try {
      const reply = await promise
      const seconds = (performance.now() - startedAt) / 1000
      this.#unitsPerSecond += NEWEST * (units / seconds - this.#unitsPerSecond)
      return reply
    } finally {
      signal.removeEventListener('abort', cancel)
      this.#waiting.delete(id)
      this.#units -= units
    }
  }

  #fail(reason: string): void {
    const failure = new ApiError('runner_failed', 'The thread that translates has ended.', { cause: reason })
    for (const { reject } of [...this.#waiting.values()]) reject(failure)
  }

  #take(message: TranslationMessage): void {
    const waiting = this.#waiting.get(message.id)
    if (message.type === 'translated') waiting?.resolve(message.reply)
    else if (message.type === 'failed')
      waiting?.reject(ApiError.fromDetail(message.error, 'runner_failed', message.retryAfter))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]()
  }
}
