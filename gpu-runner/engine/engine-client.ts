/**
 * The engine as the rest of the runner sees it: it lives in a thread of its own, so that the event loop never blocks.
 * The number of requests is bounded here, where a refusal costs nothing.
 */
import { Worker } from 'node:worker_threads'
import { ApiError } from '#protocol/error.ts'
import type { EngineEvent, EngineRequest } from './engine.ts'
import type { EngineCommand, EngineMessage, EngineThreadData } from './engine-thread.ts'
import { Places } from './places.ts'

/** Requests that may be waiting or running at once; of one tenant, half as many. */
const MOST_REQUESTS = 512
/** Weight of the newest request in the running average of how long one takes. */
const NEWEST = 0.2

export class EngineClient {
  readonly contextLength: number
  /** Sequences that it computes at once. */
  readonly slots: number
  /** Settles only if the thread dies unasked: rejects with the reason. */
  readonly died: Promise<never>
  readonly #thread: Worker
  readonly #listeners = new Map<number, { readonly tenant: string; readonly listen: (event: EngineEvent) => void }>()
  readonly #places = new Places(MOST_REQUESTS)
  #nextId = 1
  #unloading = false
  #averageSeconds = 1

  private constructor(thread: Worker, { contextLength, slots }: { contextLength: number; slots: number }) {
    this.#thread = thread
    this.contextLength = contextLength
    this.slots = slots
    thread.on('message', (message: EngineMessage) => {
      if (message.type !== 'ready') this.#deliver(message)
    })
    this.died = new Promise((_, reject) => {
      const end = (reason: Error) => {
        for (const id of [...this.#listeners.keys()]) this.#deliver({ type: 'error', id, message: reason.message })
        reject(reason)
      }
      thread.once('error', end)
      thread.once('exit', (code) => {
        if (!this.#unloading) end(new Error(`the engine's thread ended with code ${code}`))
      })
    })
    this.died.catch(() => {})
  }

  /** Loads a model; rejects if it cannot be loaded. */
  static start(data: EngineThreadData): Promise<EngineClient> {
    const thread = new Worker(new URL('./engine-thread.ts', import.meta.url), { workerData: data })
    return new Promise((resolve, reject) => {
      thread.once('error', reject)
      thread.once('message', (message: EngineMessage) => {
        thread.off('error', reject)
        if (message.type === 'ready') resolve(new EngineClient(thread, message))
        else reject(new Error(`the engine began with ${message.type}`))
      })
    })
  }

  /**
   * Asks for an answer. `listen` gets each event; the last is `finish`, `cancelled` or `error`.
   * @returns cancels the request
   * @throws ApiError `queue_full` with the seconds after which a place should be free
   */
  submit(request: Omit<EngineRequest, 'id'>, listen: (event: EngineEvent) => void): () => void {
    const { tenant } = request
    if (!this.#places.take(tenant)) {
      const { taken } = this.#places
      const retryAfter = Math.min(60, Math.ceil((this.#averageSeconds * taken) / this.slots))
      const message = `${taken} requests are waiting already; of ${MOST_REQUESTS} places, no key may have more than are left.`
      throw new ApiError('queue_full', message, { retryAfter })
    }
    const id = this.#nextId++
    this.#listeners.set(id, { tenant, listen })
    this.#send({ type: 'submit', request: { ...request, id } })
    return () => this.#send({ type: 'cancel', id })
  }

  /** Requests that wait or run. */
  get requests(): number {
    return this.#places.taken
  }

  /** Lets go of the model's memory; settles when it is free. Nothing may be asked of it any more, or be running. */
  async unload(): Promise<void> {
    this.#unloading = true
    const ended = new Promise((resolve) => this.#thread.once('exit', resolve))
    this.#send({ type: 'unload' })
    await ended
  }

  #send(command: EngineCommand): void {
    this.#thread.postMessage(command)
  }

  #deliver(event: EngineEvent): void {
    const listener = this.#listeners.get(event.id)
    if (event.type === 'finish') {
      const seconds = (event.timings.promptMs + event.timings.generationMs) / 1000
      this.#averageSeconds += NEWEST * (seconds - this.#averageSeconds)
    }
    if (listener && event.type !== 'start' && event.type !== 'text') {
      this.#listeners.delete(event.id)
      this.#places.leave(listener.tenant)
    }
    listener?.listen(event)
  }
}
