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

  const weigh = (token: number) => expNegative(((logits[token] as number) - peak) / temperature)
  let candidates: Candidate[]
  if (limited) candidates = likeliestOf(logits, topK).map((token) => ({ token, weight: weigh(token) }))
  else if (typicalP === 1) return nucleus(logits, peak, options, random)
  else candidates = all(logits).map((token) => ({ token, weight: weigh(token) }))
  if (typicalP < 1) candidates = mostTypical(candidates, typicalP)
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

/** Buckets of a nucleus: how far below the peak a token is, in steps of half the temperature. */
const BUCKETS = 128
const BUCKETS_PER_TEMPERATURE = 2

/** Cut by `topP` and `minP` alone: only tokens near the peak are sorted, as many as hold enough. */
function nucleus(
  logits: Float32Array,
  peak: number,
  { temperature, topP, minP = 0 }: SamplingOptions,
  random: number,
): number {
  const lowest = minP > 0 ? -Math.log(minP) * temperature : Number.POSITIVE_INFINITY
  let total: number | undefined
  let margin = lowest
  if (topP < 1) {
    const weights = new Float64Array(BUCKETS)
    const step = BUCKETS_PER_TEMPERATURE / temperature
    for (let token = 0; token < logits.length; token++) {
      const below = peak - (logits[token] as number)
      const bucket = below * step
      const at = bucket < BUCKETS ? bucket | 0 : BUCKETS - 1
      weights[at] = (weights[at] as number) + expNegative(-below / temperature)
    }
    total = weights.reduce((sum, weight) => sum + weight, 0)
    let [held, count] = [0, 0]
    while (count < BUCKETS && held < topP * total) held += weights[count++] as number
    // What is in the last bucket may be anywhere below.
    margin = Math.min(lowest, count < BUCKETS ? count / step : Number.POSITIVE_INFINITY)
  }
  const candidates = sortedFrom(logits, peak - margin).map((token) => ({
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
 */
function sortedFrom(logits: Float32Array, least: number): number[] {
  const keys: number[] = []
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token] as number
    if (!(logit >= least)) continue
    asFloat[0] = logit + 0
    const bits = asBits[0] as number
    const falling = bits >= 0x8000_0000 ? bits : 0x7fff_ffff - bits
    keys.push(falling * MOST_TOKENS + token)
  }
  return Array.from(Float64Array.from(keys).sort(), (key) => key % MOST_TOKENS)
}

function all(logits: Float32Array): number[] {
  return Array.from({ length: logits.length }, (_, token) => token)
}

/** Those whose information content is nearest to the mean of it, until they hold `share` of the probability. */
function mostTypical(candidates: readonly Candidate[], share: number): Candidate[] {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
  const likely = candidates.filter(({ weight }) => weight > 0)
  const information = (weight: number) => -Math.log(weight / total)
  const entropy = likely.reduce((sum, { weight }) => sum + (weight / total) * information(weight), 0)
  const distance = new Map(likely.map((candidate) => [candidate, Math.abs(information(candidate.weight) - entropy)]))
  likely.sort((a, b) => (distance.get(a) as number) - (distance.get(b) as number) || a.token - b.token)
  return until(likely, share * total).sort(byWeight)
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
