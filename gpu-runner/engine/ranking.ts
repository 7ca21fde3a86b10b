/** The likeliest tokens, found by the greatest logit of each block of them: most blocks need not be looked at. */

const BLOCK = 256

export interface Ranking {
  /** The first of the greatest. */
  readonly likeliest: number
  /** Of each block of tokens. */
  readonly maxima: Float32Array
}

/** @param logits [vocabulary] */
export function rank(logits: Float32Array): Ranking {
  const blocks = Math.ceil(logits.length / BLOCK)
  const maxima = new Float32Array(blocks)
  let [best, greatest] = [0, Number.NEGATIVE_INFINITY]
  for (let block = 0; block < blocks; block++) {
    const end = Math.min((block + 1) * BLOCK, logits.length)
    let maximum = Number.NEGATIVE_INFINITY
    for (let token = block * BLOCK; token < end; token++) {
      const logit = logits[token] as number
      if (logit > maximum) maximum = logit
    }
    maxima[block] = maximum
    if (maximum > greatest) {
      greatest = maximum
      best = block
    }
  }
  let likeliest = best * BLOCK
  while (likeliest < logits.length && logits[likeliest] !== greatest) likeliest++
  return { likeliest: likeliest < logits.length ? likeliest : 0, maxima }
}

/** Tokens of at least that logit, and at most the other, in the order of their numbers. */
export function tokensFrom(
  logits: Float32Array,
  { maxima }: Ranking,
  least: number,
  most = Number.POSITIVE_INFINITY,
): number[] {
  const tokens: number[] = []
  for (let block = 0; block < maxima.length; block++) {
    if (!((maxima[block] as number) >= least)) continue
    const end = Math.min((block + 1) * BLOCK, logits.length)
    for (let token = block * BLOCK; token < end; token++) {
      const logit = logits[token] as number
      if (logit >= least && logit <= most) tokens.push(token)
    }
  }
  return tokens
}

/** The `count` tokens with the greatest logits, in their order. */
export function likeliestOf(logits: Float32Array, ranking: Ranking, count: number): number[] {
  // As many blocks have a token of at least that logit.
  const least = ranking.maxima.toSorted().at(-count) ?? Number.NEGATIVE_INFINITY
  return descending(tokensFrom(logits, ranking, least), (token) => logits[token] as number).slice(0, count)
}

/** More tokens than any vocabulary has. */
const MOST_TOKENS = 2 ** 20
const asFloat = new Float32Array(1)
const asBits = new Uint32Array(asFloat.buffer)

/**
 * Tokens with the greatest value first, equal ones by their number. A value, as a float32, and its token make one number
 * that sorts as they do, so that no comparison is called: the bits of the float, flipped to grow as it falls.
 */
export function descending(tokens: readonly number[], value: (token: number) => number): number[] {
  const keys = new Float64Array(tokens.length)
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as number
    asFloat[0] = value(token) + 0
    const bits = asBits[0] as number
    const falling = bits >= 0x8000_0000 ? bits : 0x7fff_ffff - bits
    keys[i] = falling * MOST_TOKENS + token
  }
  return Array.from(keys.sort(), (key) => key % MOST_TOKENS)
}
