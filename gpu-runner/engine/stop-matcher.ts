/**
 * Finds stop strings in text that comes piece by piece. Text that may yet turn out to begin one is held back, so that
 * no part of a stop string is ever sent.
 */
export class StopMatcher {
  readonly #stops: readonly string[]
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops
  }

  /** Takes the next piece. `text` may be sent; once `stopped`, nothing more may be pushed. */
  push(piece: string): { text: string; stopped: boolean } {
    const text = this.#held + piece
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
    if (found.length > 0) return { text: text.slice(0, Math.min(...found)), stopped: true }
    const keep = Math.max(0, ...this.#stops.map((stop) => beginnings(text, stop)))
    this.#held = text.slice(text.length - keep)
    return { text: text.slice(0, text.length - keep), stopped: false }
  }

  /** The text still held back, when no more will come. */
  flush(): string {
    const text = this.#held
    this.#held = ''
    return text
  }
}

/** The length of the longest end of `text` with which `stop` begins. */
function beginnings(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (stop.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
