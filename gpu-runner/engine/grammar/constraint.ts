/** Holds one answer to a grammar: which tokens may come next, and what each leads to. */
import type { Automaton, Budget, State } from './automaton.ts'
import type { TokenTrie } from './token-trie.ts'

/** Masks that are kept for one grammar. */
const MOST_MASKS = 256
/**
 * What one answer may cost, in places of the program (2,000 take about a millisecond): at once, and more for each token.
 * A schema whose parts can be told apart needs a tenth of it; one that is read in thousands of ways at once would keep
 * all others waiting.
 */
const BURST = 50_000
const PER_TOKEN = 2_000

/** A grammar over a vocabulary; what is found out is shared by all answers that are held to it. */
export class TokenGrammar {
  readonly #automaton: Automaton
  readonly #trie: TokenTrie
  readonly #bytesOf: (token: number) => Uint8Array
  /** The least recently used first. */
  readonly #masks = new Map<State, Uint32Array>()

  constructor(automaton: Automaton, trie: TokenTrie, bytesOf: (token: number) => Uint8Array) {
    this.#automaton = automaton
    this.#trie = trie
    this.#bytesOf = bytesOf
  }

  get start(): State {
    return this.#automaton.start
  }

  /** By token a bit, 32 to an element, the lowest first: set if it may come next. Not to be changed. */
  mask(state: State, budget: Budget): Uint32Array {
    const mask = this.#masks.get(state) ?? this.#computeMask(state, budget)
    this.#masks.delete(state)
    this.#masks.set(state, mask)
    if (this.#masks.size > MOST_MASKS) this.#masks.delete(this.#masks.keys().next().value as State)
    return mask
  }

  /** The state after a token, or null if it may not come. */
  after(state: State, token: number, budget: Budget): State | null {
    const bytes = this.#bytesOf(token)
    let at: State | null = bytes.length === 0 ? null : state
    for (let i = 0; at && i < bytes.length; i++) at = this.#automaton.step(at, bytes[i] as number, budget)
    return at
  }

  #computeMask(state: State, budget: Budget): Uint32Array {
    const { size, bytes, depths, ends, tokens, twins } = this.#trie
    const automaton = this.#automaton
    const mask = new Uint32Array(Math.ceil(size / 32))
    /** By depth, the state before the byte there. */
    const states: State[] = [state]
    for (let node = 0; node < bytes.length; ) {
      const depth = depths[node] as number
      const before = states[depth] as State
      const byte = bytes[node] as number
      const known = before.after[byte]
      const after = known === undefined ? automaton.step(before, byte, budget) : known
      if (after === null) {
        node = ends[node] as number
        continue
      }
      states[depth + 1] = after
      const token = tokens[node] as number
      if (token >= 0) mask[token >> 5] = (mask[token >> 5] as number) | (1 << (token & 31))
      node++
    }
    for (const [token, others] of twins) {
      if (!(((mask[token >> 5] as number) >>> (token & 31)) & 1)) continue
      for (const other of others) mask[other >> 5] = (mask[other >> 5] as number) | (1 << (other & 31))
    }
    return mask
  }
}

export class Constraint {
  readonly #grammar: TokenGrammar
  readonly #budget: Budget = { left: BURST }
  #state: State

  /** @throws GrammarError `too_large` if its first token already costs too much */
  constructor(grammar: TokenGrammar) {
    this.#grammar = grammar
    this.#state = grammar.start
    grammar.mask(this.#state, this.#budget)
  }

  /** The answer may end here. */
  get complete(): boolean {
    return this.#state.accepting
  }

  /** The answer can only end here. */
  get finished(): boolean {
    return this.#state.threads.length === 0
  }

  /**
   * What may not come next is set to −∞ in `logits` [vocabulary]; `ends` may come if the answer may end here.
   * @throws RangeError if nothing is left
   * @throws GrammarError `too_large` if it costs too much to find out
   */
  apply(logits: Float32Array, ends: readonly number[]): void {
    const mask = this.#grammar.mask(this.#state, this.#budget)
    const kept = this.complete ? ends.map((token) => [token, logits[token] as number] as const) : []
    let some = kept.length > 0
    for (let word = 0; word < mask.length; word++) {
      const bits = mask[word] as number
      some ||= bits !== 0
      if (bits === 0xffffffff) continue
      const from = word * 32
      const to = Math.min(from + 32, logits.length)
      if (bits === 0) logits.fill(Number.NEGATIVE_INFINITY, from, to)
      else for (let i = from; i < to; i++) if (!((bits >>> (i & 31)) & 1)) logits[i] = Number.NEGATIVE_INFINITY
    }
    if (!some) throw new RangeError('no token of the vocabulary goes on with what the answer is held to')
    for (const [token, logit] of kept) logits[token] = logit
  }

  /** Goes on by a token. Throws RangeError if it may not come. */
  accept(token: number): void {
    const after = this.#grammar.after(this.#state, token, this.#budget)
    if (!after) throw new RangeError(`the token ${token} does not go on with what the answer is held to`)
    this.#state = after
    this.#budget.left = Math.min(BURST, this.#budget.left + PER_TOKEN)
  }
}
