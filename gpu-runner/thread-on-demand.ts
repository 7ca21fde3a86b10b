/** A thread that is started when something is first asked of it. One that has died is followed by another, with the next request. */
import { Worker } from 'node:worker_threads'

export interface ThreadOptions<Message> {
  readonly script: URL
  /** Its `workerData`. */
  readonly data: unknown
  /** As logs have it. */
  readonly name: string
  readonly onMessage: (message: Message) => void
  /** What was asked of it and is not answered yet will not be. */
  readonly onEnd: (reason: string) => void
}

export class ThreadOnDemand<Message> implements AsyncDisposable {
  readonly #options: ThreadOptions<Message>
  #thread: Worker | undefined

  constructor(options: ThreadOptions<Message>) {
    this.#options = options
  }

  started(): Worker {
    if (this.#thread) return this.#thread
    const { script, data, name, onMessage, onEnd } = this.#options
    const thread = new Worker(script, { workerData: data })
    thread.on('message', onMessage)
    const end = (reason: string) => {
      if (this.#thread !== thread) return
      this.#thread = undefined
      onEnd(reason)
    }
    thread.once('error', (error) => {
      console.error(JSON.stringify({ level: 'error', event: `${name}-died`, error: String(error) }))
      end(String(error))
    })
    thread.once('exit', (code) => end(`code ${code}`))
    this.#thread = thread
    return thread
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate()
  }
}
