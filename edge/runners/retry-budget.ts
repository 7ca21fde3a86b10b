/**
 * How much may be tried again: a tenth of what is asked, so that trouble is not made worse by asking more.
 * https://sre.google/sre-book/handling-overload/
 */
const SHARE = 0.1
const MOST = 10

export class RetryBudget {
  #left = MOST

  /** A request was made that is none tried again. */
  asked(): void {
    this.#left = Math.min(MOST, this.#left + SHARE)
  }

  /** Whether one may be tried again; takes it from the budget. */
  take(): boolean {
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
