/**
 * How often responses are written. A local workerd has one thread for all of them, and stops it until each write is on the
 * disk: 0.25 ms or more, so that 200 answers of 20 tokens a second would leave no time for anything else. The more
 * responses write, and the slower the disk, the more of each is written at a time. Without a clock in it.
 */

/** Between two writes of a response there is so many times what one of each that writes takes: together they write half of the time at most. */
const REST = 2
const LONGEST_REST_MS = 2_000
/** Of the last write in what one is taken to take. */
const WEIGHT = 0.05
/** Who has written in so long counts as one that writes: longer than the longest rest. */
const RECENT_MS = 2_500

export class WritePace {
  #tookMs = 0
  /** Who has written since then, how many these are, and how many they were in the time before. */
  #writers = new WeakSet<object>()
  #count = 0
  #before = 0
  #since = Number.NEGATIVE_INFINITY

  /**
   * @param tookMs what the write took
   * @param now milliseconds
   * @returns how long `writer` should let the others write
   */
  wrote(writer: object, tookMs: number, now: number): number {
    this.#tookMs += WEIGHT * (tookMs - this.#tookMs)
    if (now - this.#since >= RECENT_MS) {
      this.#before = this.#count
      this.#writers = new WeakSet()
      this.#count = 0
      this.#since = now
    }
    if (!this.#writers.has(writer)) this.#count++
    this.#writers.add(writer)
    return Math.min(REST * this.#tookMs * Math.max(this.#before, this.#count), LONGEST_REST_MS)
  }
}
