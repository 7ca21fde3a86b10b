/** What a request adds to the logits or takes from them before a token is chosen. */

export interface PenaltyOptions {
  /** Added to the logits of these tokens. */
  readonly logitBias?: readonly (readonly [token: number, bias: number])[]
  /** Divides a positive logit of a token that stands in the prompt or the answer, multiplies a negative one; 1: none. https://arxiv.org/abs/1909.05858 */
  readonly repetitionPenalty?: number
  /** Taken from the logit of a token that stands in the answer, once: OpenAI's `presence_penalty`. */
  readonly presencePenalty?: number
  /** The same, for each time it stands there: `frequency_penalty`. */
  readonly frequencyPenalty?: number
}

/** One request's penalties and what they need to know of its text. */
export class Penalties {
  readonly #options: PenaltyOptions
  readonly #prompt: ReadonlySet<number>
  readonly #counts = new Map<number, number>()

  constructor(options: PenaltyOptions, prompt: readonly number[]) {
    this.#options = options
    const repeats = (options.repetitionPenalty ?? 1) !== 1
    this.#prompt = new Set(repeats ? prompt : [])
  }

  /** Another token of the answer. */
  add(token: number): void {
    this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1)
  }

  /** @param logits [vocabulary]; changed in place */
  apply(logits: Float32Array): void {
    const { logitBias = [], repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = this.#options
    for (const [token, bias] of logitBias) if (token < logits.length) logits[token] = (logits[token] as number) + bias
    if (repetitionPenalty !== 1) {
      for (const token of new Set([...this.#prompt, ...this.#counts.keys()])) {
        const logit = logits[token] as number
        logits[token] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
      }
    }
    if (presencePenalty === 0 && frequencyPenalty === 0) return
    for (const [token, count] of this.#counts) {
      logits[token] = (logits[token] as number) - presencePenalty - frequencyPenalty * count
    }
  }
}
