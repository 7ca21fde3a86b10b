/**
 * Chooses the next token from the logits. Temperature first, then one after the other, each on what the one before has
 * left: the `topK` likeliest tokens; the most typical ones that hold `typicalP` of the probability (Meister et al. 2023,
 * https://arxiv.org/abs/2202.00666); the likeliest that hold `topP` of it (nucleus sampling,
 * https://arxiv.org/abs/1904.09751); those that are at least `minP` as likely as the likeliest
 * (https://arxiv.org/abs/2407.01082).
 */
import { descending, likeliestOf, type Ranking, rank, tokensFrom } from './ranking.ts'
import {
  distanceAt,
  distanceOf,
  endOf,
  LEVELS,
  levelAt,
  logitAt,
  massesAndMeanOf,
  massesOf,
  type Scale,
  scaleOf,
  weightAt,
} from './weights.ts'

export interface SamplingOptions {
  /** 0: the likeliest token. */
  readonly temperature: number
  /** 1: no limit, as are 0 for `topK` and `minP`, and 1 for `typicalP`. */
  readonly topP: number
  readonly topK: number
  readonly minP?: number
  readonly typicalP?: number
}

/** The logits of a step, and what was found out about them. */
interface Step {
  readonly logits: Float32Array
  readonly ranking: Ranking
  readonly scale: Scale
}

/**
 * @param logits [vocabulary]; −∞ is never chosen
 * @param random in [0, 1); not used when greedy
 */
export function sample(logits: Float32Array, options: SamplingOptions, random: number): number {
  const { temperature, topP, topK, minP = 0, typicalP = 1 } = options
  const ranking = rank(logits)
  const { likeliest } = ranking
  const peak = logits[likeliest] ?? 0
  if (temperature === 0 || topK === 1 || topP === 0 || minP === 1) return likeliest

  const scale = scaleOf(peak, temperature)
  // Nothing may be chosen, or so low a temperature is as good as none.
  if (!Number.isFinite(scale.zero)) return likeliest
  const step = { logits, ranking, scale }
  const limited = topK > 0 && topK < logits.length
  if (!limited && typicalP === 1) {
    if (topP < 1) return drawNucleus(step, topP, minP, random)
    if (minP > 0) return draw(atLeast(minP, weighed(step, tokensWithin(step, distanceAt(minP) + 1))), random)
    return drawFromAll(step, random)
  }
  const likely = limited ? likeliestOf(logits, ranking, topK) : undefined
  const kept = typicalP < 1 ? mostTypical(step, typicalP, likely) : weighed(step, likely ?? [])
  if (topP === 1 && minP === 0) return draw(kept, random)
  return draw(cutTail(kept.sort(byWeight), topP, minP), random)
}

/** A token and its probability, but for a factor that all have in common. */
interface Candidate {
  readonly token: number
  readonly weight: number
}

function weighed({ logits, scale }: Step, tokens: readonly number[]): Candidate[] {
  return tokens.map((token) => ({ token, weight: weightAt(distanceOf(logits[token] as number, scale)) }))
}

/** In steps from the likeliest. */
function distanceTo({ logits, scale }: Step, token: number): number {
  return distanceOf(logits[token] as number, scale)
}

/** @param distance in steps */
function tokensWithin({ logits, ranking, scale }: Step, distance: number): number[] {
  return tokensFrom(logits, ranking, logitAt(distance, scale))
}

function drawFromAll(step: Step, random: number): number {
  const { levels, total } = massesOf(step.logits, step.scale)
  return drawByLevel(step, levels, random * total) ?? step.ranking.likeliest
}

/** Only the last of the levels that are needed is sorted. */
function drawNucleus(step: Step, topP: number, minP: number, random: number): number {
  const { levels, total } = massesOf(step.logits, step.scale)
  const { last, held } = levelsHolding(levels, topP * total)
  const part = descending(
    tokensAround(step, last).filter((token) => levelAt(distanceTo(step, token)) === last),
    (token) => step.logits[token] as number,
  )
  const rest = until(weighed(step, part), topP * total - held)
  if (minP > 0) {
    const whole = tokensWithin(step, endOf(last)).filter((token) => levelAt(distanceTo(step, token)) < last)
    return draw(atLeast(minP, [...weighed(step, whole), ...rest]), random)
  }
  const drawn = random * (held + weightOf(rest))
  const token = drawn < held ? drawByLevel(step, levels, drawn) : take(rest, drawn - held)
  return token ?? step.ranking.likeliest
}

/** The token that `weight` falls on when all lie in a row, level by level. */
function drawByLevel(step: Step, levels: Float64Array, weight: number): number | undefined {
  let left = weight
  let level = 0
  while (level < levels.length && left >= (levels[level] as number)) left -= levels[level++] as number
  for (const token of tokensAround(step, level)) {
    const distance = distanceTo(step, token)
    if (levelAt(distance) !== level) continue
    left -= weightAt(distance)
    if (left < 0) return token
  }
  return undefined
}

/** Tokens of a level, and perhaps some at its edges that are of its neighbours. */
function tokensAround({ logits, ranking, scale }: Step, level: number): number[] {
  // A level begins half a step before the one before it is said to end.
  return tokensFrom(logits, ranking, logitAt(endOf(level), scale), logitAt(endOf(level - 1) - 1, scale))
}

/** @returns the last level that is needed to hold `mass`, and what those before it hold */
function levelsHolding(levels: Float64Array, mass: number): { last: number; held: number } {
  let [last, held] = [0, 0]
  while (last < levels.length - 1 && held + (levels[last] as number) < mass) held += levels[last++] as number
  return { last, held }
}

/**
 * The nearest tokens that weigh `mass` together. Only those of the last level that is needed are sorted.
 * @param distance of a token, in steps
 * @param levels what the tokens of each level of distance weigh
 */
function nearest(
  step: Step,
  tokens: readonly number[],
  distance: (token: number) => number,
  levels: Float64Array,
  mass: number,
): Candidate[] {
  const { last, held } = levelsHolding(levels, mass)
  const whole: number[] = []
  const part: number[] = []
  for (const token of tokens) {
    const level = levelAt(distance(token))
    if (level < last) whole.push(token)
    else if (level === last) part.push(token)
  }
  const byDistance = descending(part, (token) => -distance(token))
  return [...weighed(step, whole), ...until(weighed(step, byDistance), mass - held)]
}

/**
 * Those whose information content is nearest to the mean of it, until they hold `share` of the probability. A token's
 * information is its distance, and something that all have in common.
 * @param among all by default
 */
function mostTypical(step: Step, share: number, among?: readonly number[]): Candidate[] {
  const logits = among ? Float32Array.from(among, (token) => step.logits[token] as number) : step.logits
  const { total, mean, levels: plain } = massesAndMeanOf(logits, step.scale)
  const reach = reachAround(mean, plain, share * total)
  const near: number[] = []
  const levels = new Float64Array(LEVELS)
  for (const token of among ?? tokensWithin(step, mean + reach)) {
    const distance = distanceTo(step, token)
    if (!(Math.abs(distance - mean) <= reach)) continue
    const level = levelAt(Math.abs(distance - mean))
    levels[level] = (levels[level] as number) + weightAt(distance)
    near.push(token)
  }
  return nearest(step, near, (token) => Math.abs(distanceTo(step, token) - mean), levels, share * total)
}

/** How far on both sides of `middle`, in steps, there is all of as many levels as hold `mass`. */
function reachAround(middle: number, levels: Float64Array, mass: number): number {
  const level = levelAt(middle)
  let held = levels[level] as number
  let width = 0
  while (held < mass && width < LEVELS) {
    width++
    held += (levels[level - width] ?? 0) + (levels[level + width] ?? 0)
  }
  return endOf(width)
}

/** @param candidates likeliest first */
function cutTail(candidates: readonly Candidate[], topP: number, minP: number): readonly Candidate[] {
  const kept = topP < 1 ? until(candidates, topP * weightOf(candidates)) : candidates
  return minP > 0 ? atLeast(minP * (kept[0]?.weight ?? 0), kept) : kept
}

function byWeight(a: Candidate, b: Candidate): number {
  return b.weight - a.weight || a.token - b.token
}

function atLeast(least: number, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ weight }) => weight >= least)
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

function weightOf(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, { weight }) => sum + weight, 0)
}

function draw(candidates: readonly Candidate[], random: number): number {
  return take(candidates, random * weightOf(candidates)) ?? candidates[0]?.token ?? 0
}

/** The token that `weight` falls on when all lie in a row. */
function take(candidates: readonly Candidate[], weight: number): number | undefined {
  let left = weight
  for (const { token, weight } of candidates) {
    left -= weight
    if (left < 0) return token
  }
  return undefined
}
