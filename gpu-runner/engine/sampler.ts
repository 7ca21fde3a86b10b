/**
 * Chooses the next token from the logits. Temperature first, then one after the other, each on what the one before has
 * left: the `topK` likeliest tokens; the most typical ones that hold `typicalP` of the probability (Meister et al. 2023,
 * https://arxiv.org/abs/2202.00666); the likeliest that hold `topP` of it (nucleus sampling,
 * https://arxiv.org/abs/1904.09751); those that are at least `minP` as likely as the likeliest
 * (https://arxiv.org/abs/2407.01082).
 */
import { expNegative } from './exp.ts'

export interface SamplingOptions {
  /** 0: the likeliest token. */
  readonly temperature: number
  /** 1: no limit, as are 0 for `topK` and `minP`, and 1 for `typicalP`. */
  readonly topP: number
  readonly topK: number
  readonly minP?: number
  readonly typicalP?: number
}

const BLOCK = 256

/**
 * @param logits [vocabulary]; −∞ is never chosen
 * @param random in [0, 1); not used when greedy
 */
export function sample(logits: Float32Array, options: SamplingOptions, random: number): number {
  const { temperature, topP, topK, minP = 0, typicalP = 1 } = options
  const likeliest = argmax(logits)
  if (temperature === 0 || topK === 1 || topP === 0 || minP === 1) return likeliest
  const peak = logits[likeliest] ?? 0
  const limited = topK > 0 && topK < logits.length
  if (!limited && topP === 1 && minP === 0 && typicalP === 1) return drawFromAll(logits, peak, temperature, random)

  if (!limited && typicalP === 1) return nucleus(logits, peak, options, random)

  const below = (token: number) => (peak - (logits[token] as number)) / temperature
  const tokens = limited ? likeliestOf(logits, topK) : logits.keys().toArray()
  const candidates =
    typicalP < 1
      ? mostTypical(tokens, below, typicalP)
      : tokens.map((token) => ({ token, weight: expNegative(-below(token)) }))
  return draw(cutTail(candidates, topP, minP), random)
}

/** The first of the greatest. */
export function argmax(logits: Float32Array): number {
  let best = 0
  let greatest = logits[0] ?? Number.NEGATIVE_INFINITY
  for (let i = 1; i < logits.length; i++) {
    const logit = logits[i] as number
    if (logit > greatest) {
      greatest = logit
      best = i
    }
  }
  return best
}

/** A token and its probability, but for a factor that all have in common. */
interface Candidate {
  readonly token: number
  readonly weight: number
}

/** Weighs all once, block by block, and then only the block that is drawn. */
function drawFromAll(logits: Float32Array, peak: number, temperature: number, random: number): number {
  const blocks = new Float64Array(Math.ceil(logits.length / BLOCK))
  let total = 0
  for (let block = 0; block < blocks.length; block++) {
    const weight = weightOf(logits, peak, temperature, block * BLOCK)
    blocks[block] = weight
    total += weight
  }
  let left = random * total
  for (let block = 0; block < blocks.length; block++) {
    const weight = blocks[block] as number
    if (left >= weight) {
      left -= weight
      continue
    }
    const end = Math.min((block + 1) * BLOCK, logits.length)
    for (let token = block * BLOCK; token < end; token++) {
      left -= expNegative(((logits[token] as number) - peak) / temperature)
      if (left < 0) return token
    }
  }
  return argmax(logits)
}

/** Of one block of tokens. */
function weightOf(logits: Float32Array, peak: number, temperature: number, from: number): number {
  const end = Math.min(from + BLOCK, logits.length)
  let weight = 0
  for (let token = from; token < end; token++) weight += expNegative(((logits[token] as number) - peak) / temperature)
  return weight
}

/** Probability by how far tokens are from where the choice begins, in steps of half the temperature. */
const BUCKETS = 128
const BUCKETS_PER_TEMPERATURE = 2

/** How far one has to go until `mass` is held, in temperatures; infinitely if the last bucket is needed. */
function reachOf(masses: Float64Array, mass: number): number {
  let [held, count] = [0, 0]
  while (count < BUCKETS && held < mass) held += masses[count++] as number
  // What is in the last bucket may be anywhere beyond.
  return count < BUCKETS ? count / BUCKETS_PER_TEMPERATURE : Number.POSITIVE_INFINITY
}

function addTo(masses: Float64Array, distance: number, weight: number): void {
  const bucket = distance * BUCKETS_PER_TEMPERATURE
  const at = bucket < BUCKETS ? bucket | 0 : BUCKETS - 1
  masses[at] = (masses[at] as number) + weight
}

/** What is further below the peak, in temperatures, is less than a ten-thousandth as likely: seldom anything that counts. */
const NEAR = 10

/** Cut by `topP` and `minP` alone: only tokens near the peak are sorted, as many as hold enough. */
function nucleus(
  logits: Float32Array,
  peak: number,
  { temperature, topP, minP = 0 }: SamplingOptions,
  random: number,
): number {
  let reach = minP > 0 ? -Math.log(minP) : Number.POSITIVE_INFINITY
  let total: number | undefined
  let tokens: readonly number[] | undefined
  if (topP < 1) {
    const near: number[] = []
    total = 0
    let held = 0
    for (let token = 0; token < logits.length; token++) {
      const x = ((logits[token] as number) - peak) / temperature
      const weight = expNegative(x)
      total += weight
      if (x < -NEAR) continue
      held += weight
      near.push(token)
    }
    tokens = held >= topP * total ? near : logits.keys().toArray()
    const masses = new Float64Array(BUCKETS)
    for (const token of tokens) {
      const below = (peak - (logits[token] as number)) / temperature
      addTo(masses, below, expNegative(-below))
    }
    reach = Math.min(reach, reachOf(masses, topP * total))
  }
  const candidates = sortedFrom(logits, peak - reach * temperature, tokens).map((token) => ({
    token,
    weight: expNegative(((logits[token] as number) - peak) / temperature),
  }))
  return draw(cutTail(candidates, topP, minP, total), random)
}

/** The `count` tokens with the greatest logits, in their order. */
export function likeliestOf(logits: Float32Array, count: number): number[] {
  return sortedFrom(logits, greatest(logits, count)).slice(0, count)
}

/** The `count`-th greatest logit, by a heap of the greatest so far with the least of them on top. */
function greatest(logits: Float32Array, count: number): number {
  if (count >= logits.length) return Number.NEGATIVE_INFINITY
  const heap = logits.slice(0, count).sort()
  for (let token = count; token < logits.length; token++) {
    const logit = logits[token] as number
    if (!(logit > (heap[0] as number))) continue
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child + 1 < count && (heap[child + 1] as number) < (heap[child] as number)) child++
      if (child >= count || (heap[child] as number) >= logit) break
      heap[at] = heap[child] as number
      at = child
    }
    heap[at] = logit
  }
  return heap[0] as number
}

/** More tokens than any vocabulary has. */
const MOST_TOKENS = 2 ** 20
const asFloat = new Float32Array(1)
const asBits = new Uint32Array(asFloat.buffer)

/**
 * Tokens of at least that logit, the greatest first, equal ones by their number. A logit and its token make one number
 * that sorts as they do, so that no comparison is called: the bits of a float32, flipped to grow as it falls.
 * @param tokens those to choose from, ascending; all by default
 */
function sortedFrom(logits: Float32Array, least: number, tokens?: readonly number[]): number[] {
  const keys: number[] = []
  for (let i = 0; i < (tokens ?? logits).length; i++) {
    const token = tokens ? (tokens[i] as number) : i
    const logit = logits[token] as number
    if (!(logit >= least)) continue
    asFloat[0] = logit + 0
    const bits = asBits[0] as number
    const falling = bits >= 0x8000_0000 ? bits : 0x7fff_ffff - bits
    keys.push(falling * MOST_TOKENS + token)
  }
  return Array.from(Float64Array.from(keys).sort(), (key) => key % MOST_TOKENS)
}

/**
 * Those whose information content is nearest to the mean of it, until they hold `share` of the probability; likeliest
 * first. A token's information is how far below the peak it is, and something that all have in common.
 * @param below in temperatures
 */
function mostTypical(tokens: readonly number[], below: (token: number) => number, share: number): Candidate[] {
  let [total, sum] = [0, 0]
  for (const token of tokens) {
    const weight = expNegative(-below(token))
    total += weight
    // What is never chosen may be infinitely far below.
    if (weight > 0) sum += weight * below(token)
  }
  const mean = sum / total
  const masses = new Float64Array(BUCKETS)
  for (const token of tokens) addTo(masses, Math.abs(below(token) - mean), expNegative(-below(token)))
  const reach = reachOf(masses, share * total)
  const near: (Candidate & { readonly distance: number })[] = []
  for (const token of tokens) {
    const [weight, distance] = [expNegative(-below(token)), Math.abs(below(token) - mean)]
    if (weight > 0 && distance < reach) near.push({ token, weight, distance })
  }
  near.sort((a, b) => a.distance - b.distance || a.token - b.token)
  return until(near, share * total).sort(byWeight)
}

/** @param candidates likeliest first */
function cutTail(candidates: readonly Candidate[], topP: number, minP: number, mass?: number): readonly Candidate[] {
  const total = mass ?? candidates.reduce((sum, { weight }) => sum + weight, 0)
  const kept = topP < 1 ? until(candidates, topP * total) : candidates
  const least = minP * (kept[0]?.weight ?? 0)
  return minP > 0 ? kept.filter(({ weight }) => weight >= least) : kept
}

/** The first ones, until they weigh `weight`. */
function until(candidates: readonly Candidate[], weight: number): Candidate[] {
  let held = 0
  for (const [i, candidate] of candidates.entries()) {
    held += candidate.weight
    if (held >= weight) return candidates.slice(0, i + 1)
  }
  return [...candidates]
}

function byWeight(a: Candidate, b: Candidate): number {
  return b.weight - a.weight || a.token - b.token
}

function draw(candidates: readonly Candidate[], random: number): number {
  let left = random * candidates.reduce((sum, { weight }) => sum + weight, 0)
  for (const { token, weight } of candidates) {
    left -= weight
    if (left < 0) return token
  }
  return candidates[0]?.token ?? 0
}
