/**
 * Weights of tokens: e to the power of how far a logit is below the greatest, in temperatures; divided by their sum they
 * are probabilities. Distances are counted in steps, 64 of which halve a weight: a table has the whole steps, three terms
 * of Taylor's series the rest. Within 3 · 10⁻⁸ of the weight, and 0 for one below e⁻⁶⁴, in a tenth of the time of
 * `Math.exp`, which sampling from a whole vocabulary would mostly consist of.
 */
const STEPS_OF_E = 64 / Math.LN2
const STEP = Math.LN2 / 64
const HALF_SQUARE = (STEP * STEP) / 2
const LAST = Math.floor(64 * STEPS_OF_E)
const TABLE = Float64Array.from({ length: LAST + 2 }, (_, n) => 2 ** (-n / 64))

/** Sixteen steps make a level: of its tokens, the likeliest is at most 1.2 times as likely as any. */
const LEVEL_BITS = 4
export const LEVELS = (LAST >> LEVEL_BITS) + 1

/** Logits [vocabulary] as seen from the greatest of them. */
export interface Scale {
  readonly peak: number
  /** Steps that a logit of one less is away. */
  readonly steps: number
  /** `peak` in steps. */
  readonly zero: number
}

export function scaleOf(peak: number, temperature: number): Scale {
  const steps = STEPS_OF_E / temperature
  return { peak, steps, zero: peak * steps }
}

export function distanceOf(logit: number, { zero, steps }: Scale): number {
  return zero - logit * steps
}

/** The distance of what is `share` as likely as the likeliest; of what has no weight from 0 on. */
export function distanceAt(share: number): number {
  return Math.min(-Math.log(share) * STEPS_OF_E, LAST)
}

/** The greatest logit that is at least so far away. */
export function logitAt(distance: number, { peak, steps }: Scale): number {
  return peak - distance / steps
}

/** @param distance in steps, not negative */
export function weightAt(distance: number): number {
  if (!(distance <= LAST)) return 0
  const n = (distance + 0.5) | 0
  return (TABLE[n] as number) * taylor(n - distance)
}

/** @param rest in steps, at most half of one */
function taylor(rest: number): number {
  return 1 + rest * (STEP + rest * HALF_SQUARE)
}

/** @param distance of a token that has a weight */
export function levelAt(distance: number): number {
  return ((distance + 0.5) | 0) >> LEVEL_BITS
}

/** Where a level ends, in steps: what is further away is of another. */
export function endOf(level: number): number {
  return (level + 1) << LEVEL_BITS
}

export interface Masses {
  /** What the tokens of each level weigh. */
  readonly levels: Float64Array
  readonly total: number
}

/** One pass over the vocabulary: what `distanceOf`, `weightAt` and `levelAt` say, written out, which is a fifth quicker. */
export function massesOf(logits: Float32Array, { zero, steps }: Scale): Masses {
  const levels = new Float64Array(LEVELS)
  const { length } = logits
  for (let token = 0; token < length; token++) {
    const distance = zero - (logits[token] as number) * steps
    if (!(distance <= LAST)) continue
    const n = (distance + 0.5) | 0
    const rest = n - distance
    const level = n >> LEVEL_BITS
    levels[level] = (levels[level] as number) + (TABLE[n] as number) * (1 + rest * (STEP + rest * HALF_SQUARE))
  }
  return { levels, total: levels.reduce((sum, mass) => sum + mass, 0) }
}

/** The same, with the mean distance, each token counted by its weight: a fifth slower. */
export function massesAndMeanOf(logits: Float32Array, { zero, steps }: Scale): Masses & { readonly mean: number } {
  const levels = new Float64Array(LEVELS)
  const { length } = logits
  let moment = 0
  for (let token = 0; token < length; token++) {
    const distance = zero - (logits[token] as number) * steps
    if (!(distance <= LAST)) continue
    const n = (distance + 0.5) | 0
    const rest = n - distance
    const weight = (TABLE[n] as number) * (1 + rest * (STEP + rest * HALF_SQUARE))
    const level = n >> LEVEL_BITS
    levels[level] = (levels[level] as number) + weight
    moment += weight * distance
  }
  const total = levels.reduce((sum, mass) => sum + mass, 0)
  return { levels, total, mean: moment / total }
}
