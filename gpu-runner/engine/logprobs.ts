/** The model's own log probabilities of a step, before anything of the request's changes them. */
import { likeliestOf, rank } from './ranking.ts'

export interface Logprob {
  readonly token: number
  /** Natural logarithm. */
  readonly logprob: number
}

/**
 * @param logits [vocabulary]; `of` reads a copy, so that they may change afterwards
 * @param count of the likeliest tokens, for `top`
 */
export function logprobsOf(
  logits: Float32Array,
  count: number,
): { of: (token: number) => Logprob; top: readonly Logprob[] } {
  const ranking = rank(logits)
  const peak = logits[ranking.likeliest] as number
  let total = 0
  for (const logit of logits) total += Math.exp(logit - peak)
  const logTotal = peak + Math.log(total)
  const copy = logits.slice()
  const of = (token: number): Logprob => ({ token, logprob: (copy[token] as number) - logTotal })
  return { of, top: count === 0 ? [] : likeliestOf(logits, ranking, count).map(of) }
}
