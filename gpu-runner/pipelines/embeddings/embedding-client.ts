/**
 * An embedding model as the rest of the runner sees it: it lives in a thread of its own, beside the chat engine's, so that
 * the event loop never blocks. What waits is bounded here, where a refusal costs nothing.
 */
import { Worker } from 'node:worker_threads'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type {
  EmbeddingCommand,
  EmbeddingMessage,
  EmbeddingRefusal,
  EmbeddingRequest,
  EmbeddingThreadData,
} from './embedding-thread.ts'

/** Requests that may be waiting or running at once, and UTF-16 code units and tokens of their inputs together. */
const MOST_REQUESTS = 256
const MOST_UNITS = 8 << 20
/** Weight of the newest request in the running average of how quick they are. */
const NEWEST = 0.2
const MOST_RETRY_SECONDS = 60

export interface Embedded {
  /** Vectors of length 1, one after the other: [inputs, dimensions] */
  readonly vectors: Float32Array
  readonly dimensions: number
  /** Of all inputs. */
  readonly tokens: number
}

interface Waiting {
  readonly units: number
  readonly settle: (message: Exclude<EmbeddingMessage, { type: 'ready' }>) => void
  readonly fail: (reason: Error) => void
}

export class EmbeddingClient {
  /** Settles only if the thread dies unasked: rejects with the reason. */
  readonly died: Promise<never>
  readonly #thread: Worker
  readonly #contextLength: number
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #units = 0
  #unitsPerSecond = 10_000
  #unloading = false

  private constructor(thread: Worker, contextLength: number) {
    this.#thread = thread
    this.#contextLength = contextLength
    thread.on('message', (message: EmbeddingMessage) => {
      if (message.type !== 'ready') this.#waiting.get(message.id)?.settle(message)
    })
    this.died = new Promise((_, reject) => {
      const end = (reason: Error) => {
        const failure = new ApiError('runner_failed', 'The model failed.', { cause: reason })
        for (const { fail } of [...this.#waiting.values()]) fail(failure)
        reject(reason)
      }
      thread.once('error', end)
      thread.once('exit', (code) => {
        if (!this.#unloading) end(new Error(`the embedder's thread ended with code ${code}`))
      })
    })
    this.died.catch(() => {})
  }

  /** Loads a model; rejects if it cannot be loaded. */
  static start(data: EmbeddingThreadData): Promise<EmbeddingClient> {
    const thread = new Worker(new URL('./embedding-thread.ts', import.meta.url), { workerData: data })
    return new Promise((resolve, reject) => {
      thread.once('error', reject)
      thread.once('message', (message: EmbeddingMessage) => {
        thread.off('error', reject)
        if (message.type === 'ready') resolve(new EmbeddingClient(thread, data.contextLength))
        else reject(new Error(`the embedder began with ${message.type}`))
      })
    })
  }

  /** Requests that wait or run. */
  get requests(): number {
    return this.#waiting.size
  }

  /**
   * Rejects with ApiError `context_length_exceeded` or `invalid_value` for an input that the model cannot take, `queue_full`
   * with the seconds after which there should be room, and with the signal's reason when it aborts.
   */
  async embed(request: EmbeddingRequest, signal: AbortSignal): Promise<Embedded> {
    signal.throwIfAborted()
    const units = request.inputs.reduce((sum, { length }) => sum + length, 0)
    if (this.#waiting.size >= MOST_REQUESTS || (this.#units > 0 && this.#units + units > MOST_UNITS)) {
      const seconds = Math.ceil(this.#units / this.#unitsPerSecond)
      const retryAfter = Math.min(MOST_RETRY_SECONDS, Math.max(1, seconds))
      throw new ApiError('queue_full', 'As many embeddings are waiting as may.', { retryAfter })
    }
    const id = this.#nextId++
    const startedAt = performance.now()
    const { promise, resolve, reject } = Promise.withResolvers<Embedded>()
    const cancel = () => {
      this.#send({ type: 'cancel', id })
      reject(signal.reason)
    }
    signal.addEventListener('abort', cancel, { once: true })
    this.#units += units
    this.#waiting.set(id, {
      units,
      fail: reject,
      settle: (message) => {
        if (message.type === 'refused') return reject(this.#refusal(message.refusal))
        const seconds = (performance.now() - startedAt) / 1000
        this.#unitsPerSecond += NEWEST * (units / seconds - this.#unitsPerSecond)
        resolve(message)
      },
    })
    this.#send({ type: 'embed', id, request })
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', cancel)
      this.#waiting.delete(id)
      this.#units -= units
    }
  }

  /** Lets go of the model's memory; settles when it is free. Nothing may be asked of it any more, or be running. */
  async unload(): Promise<void> {
    this.#unloading = true
    const ended = new Promise((resolve) => this.#thread.once('exit', resolve))
    this.#send({ type: 'unload' })
    await ended
  }

  #send(command: EmbeddingCommand): void {
    this.#thread.postMessage(command)
  }

  #refusal(refusal: EmbeddingRefusal): ApiError {
    switch (refusal.reason) {
      case 'too-long': {
        const { index, tokens } = refusal
        const message = `Invalid 'input[${index}]': ${tokens} tokens; this model takes at most ${this.#contextLength} for each input.`
        return new ApiError('context_length_exceeded', message, { param: `input[${index}]` })
      }
      case 'too-many': {
        const message = `Invalid 'input': ${refusal.tokens} tokens; one request may have at most ${LIMITS.embeddingTokens}.`
        return new ApiError('invalid_value', message, { param: 'input' })
      }
      case 'unknown-token': {
        const { index, token, known } = refusal
        const message = `Invalid 'input[${index}]': there is no token ${token}; this model has the tokens 0 to ${known - 1}.`
        return new ApiError('invalid_value', message, { param: `input[${index}]` })
      }
      case 'dimensions': {
        const message = `Invalid 'dimensions': this model's vectors have ${refusal.most} numbers.`
        return new ApiError('invalid_value', message, { param: 'dimensions' })
      }
    }
  }
}
