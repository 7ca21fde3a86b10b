/**
 * Beam search for one sentence: of all continuations of the hypotheses that are kept, as many of the likeliest are kept
 * again (Graves 2012, arXiv:1211.3711). Pure: what continues a hypothesis, and how likely, is told to it.
 */
import { CANDIDATES } from '#models/architectures/published-translation.ts'
import { END } from '#models/tokenizer/translation-tokenizer.ts'

export interface Hypothesis {
  /** Without the one at the end. */
  readonly tokens: readonly number[]
  /** The logarithm of the probability of all of it. */
  readonly score: number
}

export interface SearchOptions {
  /** Hypotheses that are kept. */
  readonly beam: number
  /** How many finished ones are wanted at least. */
  readonly wanted: number
  /** Tokens that a translation may have, the one at the end included. */
  readonly most: number
  /** Tokens that a translation has to have, once each. */
  readonly required: ReadonlySet<number>
  /** Tokens that come behind another one, with words between: what is around words stays around words. */
  readonly apart: ReadonlyMap<number, number>
  /** A token that is a space alone. */
  readonly blank: number | undefined
  /** Tokens that a translation has only if they are required. */
  readonly isReserved: (token: number) => boolean
}

/** What a step computed: the next tokens of each hypothesis [hypotheses, CANDIDATES], the best first. */
export interface Candidates {
  readonly tokens: BigInt64Array
  readonly scores: Float32Array
}

/** One hypothesis of the next step. */
export interface Continuation {
  /** Which of the step before it continues, from 0 to `beam` − 1. */
  readonly parent: number
  readonly token: number
}

/** A hypothesis that nothing continues: it fills up the beam. */
const NONE: Hypothesis = { tokens: [], score: Number.NEGATIVE_INFINITY }

export class BeamSearch {
  readonly #options: SearchOptions
  readonly #finished: Hypothesis[] = []
  #live: readonly Hypothesis[]

  constructor(options: SearchOptions) {
    this.#options = options
    // All would be the same at first.
    this.#live = [{ tokens: [], score: 0 }, ...Array<Hypothesis>(options.beam - 1).fill(NONE)]
  }

  /**
   * @param first the row of its first hypothesis
   * @returns `beam` hypotheses that are to be continued; undefined when it is done
   */
  advance({ tokens, scores }: Candidates, first: number): readonly Continuation[] | undefined {
    const { beam, wanted, most } = this.#options
    const ranked: { parent: number; token: number; score: number }[] = []
    for (const [parent, { score }] of this.#live.entries()) {
      if (score === Number.NEGATIVE_INFINITY) continue
      for (let k = 0; k < CANDIDATES; k++) {
        const at = (first + parent) * CANDIDATES + k
        const token = Number(tokens[at])
        if (this.#allows(parent, token)) ranked.push({ parent, token, score: score + (scores[at] ?? Number.NaN) })
      }
    }
    ranked.sort((a, b) => b.score - a.score)
    const kept: typeof ranked = []
    for (const [rank, candidate] of ranked.entries()) {
      if (candidate.token !== END) kept.push(candidate)
      else if (rank < beam) this.#finish(candidate)
      if (kept.length === beam) break
    }
    // What comes after a likeliest one that ends would have to be likelier.
    const enough = this.#finished.length >= wanted && ranked[0]?.token === END
    const live = kept.map(({ parent, token, score }) => ({ tokens: [...this.#tokensOf(parent), token], score }))
    if (enough || live.length === 0) return undefined
    if ((live[0]?.tokens.length ?? 0) >= most - 1) {
      this.#finished.push(...live)
      return undefined
    }
    const filled = Array.from({ length: beam - live.length }, () => ({ parent: 0, token: END }))
    this.#live = [...live, ...filled.map(() => NONE)]
    return [...kept, ...filled]
  }

  /** What was found, the best first: what lacks the least of what is required, then the likeliest for its length. */
  results(): readonly Hypothesis[] {
    const { required } = this.#options
    const lacks = ({ tokens }: Hypothesis) => [...required].filter((token) => !tokens.includes(token)).length
    // The token at the end counts, so that what is empty has a length.
    const byLength = ({ tokens, score }: Hypothesis) => score / (tokens.length + 1)
    return this.#finished.toSorted((a, b) => lacks(a) - lacks(b) || byLength(b) - byLength(a))
  }

  #tokensOf(parent: number): readonly number[] {
    return this.#live[parent]?.tokens ?? []
  }

  #allows(parent: number, token: number): boolean {
    const { required, apart, blank, isReserved } = this.#options
    if (!isReserved(token)) return true
    const before = this.#tokensOf(parent)
    if (!required.has(token) || before.includes(token)) return false
    const other = apart.get(token)
    if (other === undefined) return true
    return before.includes(other) && before.findLast((last) => last !== blank) !== other
  }

  #finish({ parent, score }: { parent: number; score: number }): void {
    this.#finished.push({ tokens: this.#tokensOf(parent), score })
  }
}
