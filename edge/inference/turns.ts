/**
 * One at a time, for what requests of one Worker share. Nobody hands the turn on: whoever waits looks again when the
 * one before has ended, so that a request that is cancelled while it waits holds up no other.
 */
export class Turns {
  #current: Promise<void> | null = null

  async take<T>(body: () => Promise<T>): Promise<T> {
    while (this.#current) await this.#current
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#current = promise
    try {
      return await body()
    } finally {
      this.#current = null
      resolve()
    }
  }
}
