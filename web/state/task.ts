import { signal } from '@preact/signals'

/** Something that takes a while: one at a time, it can be stopped, and how it failed is kept for whoever shows it. */
export class Task {
  readonly busy = signal(false)
  readonly failure = signal<Error | null>(null)
  #controller: AbortController | null = null

  /**
   * Ends what was under way and does `body` instead.
   * @returns whether it came to its end
   */
  async run(body: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    this.stop()
    const controller = new AbortController()
    this.#controller = controller
    this.busy.value = true
    this.failure.value = null
    try {
      await body(controller.signal)
      return !controller.signal.aborted
    } catch (error) {
      if (!controller.signal.aborted) this.failure.value = error instanceof Error ? error : new Error(String(error))
      return false
    } finally {
      if (this.#controller === controller) this.#end()
    }
  }

  stop(): void {
    this.#controller?.abort()
    this.#end()
  }

  #end(): void {
    this.#controller = null
    this.busy.value = false
  }
}

/** What is wrong with a file, in words for its owner. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem'
}
