/**
 * Group commit (DeWitt et al. 1984, https://doi.org/10.1145/602259.602261): what is handed in while one write is under way goes
 * into the next one, all together. Whoever comes when there is none writes, with what comes in the same moment.
 *
 * Those who hand in are requests of one Worker, and workerd keeps their I/O apart. What one has asked for ends with it, so
 * the one that writes for others is kept until it has. A promise goes on in the request that made it, whoever settles it, so
 * each waits for its own. And a request without I/O of its own is taken for hung, so each that waits has a timer; it also
 * ends the waiting for a writer that was cut off all the same, by writing again.
 */

/** Longer than any write takes. */
export const LONGEST_WAIT_MS = 5_000
/** As long as more keep coming. */
const LONGEST_GATHER_MS = 5
/** In one write. */
export const MOST_ITEMS = 1_000

interface Waiting<T> {
  readonly item: T
  readonly written: () => void
  readonly failed: (error: unknown) => void
  /** It is this one's turn to write. */
  readonly lead: () => void
}

/** What a request does for all whose items it is given. */
export interface Committer<T> {
  /** Settles when the items would survive a crash. Of the same items there may be a second write. */
  readonly write: (items: readonly T[]) => Promise<void>
  /** Keeps the request's work going, although its client may leave. */
  readonly keep: (work: Promise<unknown>) => void
}

export class GroupCommit<T> {
  #waiting: Waiting<T>[] = []
  #isWriting = false

  /**
   * Settles when the item is written.
   * @throws what the write that it was in threw
   */
  async commit(item: T, committer: Committer<T>): Promise<void> {
    if (this.#isWriting && (await this.#isWritten(item, committer))) return
    this.#isWriting = true
    const writing = this.#write(item, committer)
    committer.keep(writing.catch(() => {}))
    await writing
  }

  /** Waits. @returns false if it is this one's turn to write */
  async #isWritten(item: T, { keep }: Committer<T>): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const waiting: Waiting<T> = { item, written: () => resolve(true), failed: reject, lead: () => resolve(false) }
    this.#waiting.push(waiting)
    const timer = setTimeout(waiting.lead, LONGEST_WAIT_MS)
    keep(promise.catch(() => {}))
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      const place = this.#waiting.indexOf(waiting)
      if (place >= 0) this.#waiting.splice(place, 1)
    }
  }

  async #write(item: T, { write }: Committer<T>): Promise<void> {
    await this.#gathered()
    const others = this.#waiting.splice(0, MOST_ITEMS - 1)
    try {
      await write([item, ...others.map((other) => other.item)])
      for (const { written } of others) written()
    } catch (error) {
      for (const { failed } of others) failed(error)
      throw error
    } finally {
      const next = this.#waiting[0]
      if (next) next.lead()
      else this.#isWriting = false
    }
  }

  /** Settles when all that is at the door has come in. */
  async #gathered(): Promise<void> {
    const until = Date.now() + LONGEST_GATHER_MS
    let before: number
    do {
      before = this.#waiting.length
      await new Promise((resolve) => setTimeout(resolve, 0))
    } while (this.#waiting.length > before && Date.now() < until)
  }
}
