/**
 * A circuit breaker: a runner that cannot be reached is left alone for a while, and then tried by one request. Without a
 * clock in it. https://martinfowler.com/bliki/CircuitBreaker.html
 */

/** Failures on end that open it. */
const FAILURES = 2
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 10_000

export class Breaker {
  #failures = 0
  #waitMs = FIRST_WAIT_MS
  /** When it may be tried again; undefined while it is closed. */
  #openUntil: number | undefined
  #probing = false

  /** Whether a request would be let through. */
  allows(now: number): boolean {
    return this.#openUntil === undefined || (now >= this.#openUntil && !this.#probing)
  }

  /** A request goes through: the only one, until it is known how it went, if the breaker was open. */
  begin(): void {
    if (this.#openUntil !== undefined) this.#probing = true
  }

  succeeded(): void {
    this.#failures = 0
    this.#waitMs = FIRST_WAIT_MS
    this.#openUntil = undefined
    this.#probing = false
  }

  failed(now: number): void {
    this.#failures++
    const probed = this.#probing
    this.#probing = false
    if (!probed && this.#failures < FAILURES) return
    if (probed) this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS)
    this.#openUntil = now + this.#waitMs
  }

  /** The request that went through came to no end that says anything. */
  abandoned(): void {
    this.#probing = false
  }
}
