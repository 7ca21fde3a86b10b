/** Who draws, as the rest of the runner sees it: a thread that is started when the first picture is asked for. */
import { ApiError } from '#protocol/error.ts'
import type { ImageWork } from '#protocol/image-work.ts'
import { ThreadOnDemand } from '../thread-on-demand.ts'
import type { ImageCommand, ImageMessage, ImageThreadData } from './image-thread.ts'

/** Requests that may be waiting or running at once. */
const MOST_REQUESTS = 64
const RETRY_SECONDS = 1

interface Waiting {
  readonly resolve: (images: readonly string[]) => void
  readonly reject: (reason: unknown) => void
}

export class ImageClient implements AsyncDisposable {
  readonly #waiting = new Map<number, Waiting>()
  readonly #thread: ThreadOnDemand<ImageMessage>
  #nextId = 1

  constructor(data: ImageThreadData) {
    this.#thread = new ThreadOnDemand({
      script: new URL('./image-thread.ts', import.meta.url),
      data,
      name: 'image-thread',
      onMessage: (message) => this.#take(message),
      onEnd: (reason) => this.#fail(reason),
    })
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
    const thread = this.#thread.started()
    const id = this.#nextId++
    const cancel = () => thread.postMessage({ type: 'cancel', id } satisfies ImageCommand)
    return new Promise<readonly string[]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      signal.addEventListener('abort', cancel)
      thread.postMessage({ type: 'draw', id, work } satisfies ImageCommand)
    }).finally(() => signal.removeEventListener('abort', cancel))
  }

  #fail(reason: string): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new ApiError('runner_failed', 'The thread that draws has ended.', { cause: reason }))
    }
    this.#waiting.clear()
  }

  #take(message: ImageMessage): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'drawn') waiting?.resolve(message.images)
    else waiting?.reject(ApiError.fromDetail(message.error, 'runner_failed', message.retryAfter))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]()
  }
}
