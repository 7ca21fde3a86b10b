/** Who draws, as the rest of the runner sees it: a thread that is started when the first picture is asked for. */
import { Worker } from 'node:worker_threads'
import { ApiError } from '#protocol/error.ts'
import type { ImageWork } from '#protocol/image-work.ts'
import type { ImageCommand, ImageMessage, ImageThreadData } from './image-thread.ts'

/** Requests that may be waiting or running at once. */
const MOST_REQUESTS = 64
const RETRY_SECONDS = 1

interface Waiting {
  readonly resolve: (images: readonly string[]) => void
  readonly reject: (reason: unknown) => void
}

export class ImageClient implements AsyncDisposable {
  readonly #data: ImageThreadData
  readonly #waiting = new Map<number, Waiting>()
  #thread: Worker | undefined
  #nextId = 1

  constructor(data: ImageThreadData) {
    this.#data = data
  }

  /** Requests that wait or run. */
  get requests(): number {
    return this.#waiting.size
  }

  /**
   * @param signal nobody waits for the pictures any more; those that are not drawn yet will not be
   * @returns the files in base64, in the order of the seeds
   * @throws ApiError `queue_full` with the seconds after which to try again, and what the drawing fails with
   */
  draw(work: ImageWork, signal: AbortSignal): Promise<readonly string[]> {
    if (this.#waiting.size >= MOST_REQUESTS) {
      const message = `${MOST_REQUESTS} requests for pictures are waiting already, which is the limit`
      throw new ApiError('queue_full', message, { retryAfter: RETRY_SECONDS })
    }
    const thread = this.#started()
    const id = this.#nextId++
    const cancel = () => thread.postMessage({ type: 'cancel', id } satisfies ImageCommand)
    return new Promise<readonly string[]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      signal.addEventListener('abort', cancel)
      thread.postMessage({ type: 'draw', id, work } satisfies ImageCommand)
    }).finally(() => signal.removeEventListener('abort', cancel))
  }

  #started(): Worker {
    if (this.#thread) return this.#thread
    const thread = new Worker(new URL('./image-thread.ts', import.meta.url), { workerData: this.#data })
    thread.on('message', (message: ImageMessage) => this.#take(message))
    // One that has died is followed by another, with the next request.
    const end = (reason: string) => {
      if (this.#thread !== thread) return
      this.#thread = undefined
      for (const { reject } of this.#waiting.values()) {
        reject(new ApiError('runner_failed', 'The thread that draws has ended.', { cause: reason }))
      }
      this.#waiting.clear()
    }
    thread.once('error', (error) => {
      console.error(JSON.stringify({ level: 'error', event: 'image-thread-died', error: String(error) }))
      end(String(error))
    })
    thread.once('exit', (code) => end(`code ${code}`))
    this.#thread = thread
    return thread
  }

  #take(message: ImageMessage): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'drawn') waiting?.resolve(message.images)
    else waiting?.reject(ApiError.fromDetail(message.error, 'runner_failed', message.retryAfter))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate()
  }
}
