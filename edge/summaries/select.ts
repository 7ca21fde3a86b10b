/**
 * Which sentences stand for a text: those that are like the whole, rather its first ones, and unlike those that are taken
 * already (maximal marginal relevance, Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025).
 */
import type { Likeness } from './likeness.ts'

/** Shares of what a sentence is worth: its likeness to the whole, and that it comes early. */
const CENTRAL = 0.7
const EARLY = 0.3
/** How much being like one that is taken counts against a sentence. */
const REDUNDANT = 0.5

/** How much may be taken: so many sentences, or words. */
export type SummaryLength = { readonly sentences: number } | { readonly words: number }

/**
 * @param words of each sentence
 * @returns the places of those that are taken, in the order of the text; at least one if there is any
 */
export function select(words: readonly number[], likeness: Likeness, length: SummaryLength): number[] {
  const worth = words.map((_, i) => CENTRAL * likeness.toWhole(i) + EARLY / (1 + i))
  /** Likeness to the one that is taken and most alike. */
  const taken = words.map(() => 0)
  const left = new Set(words.keys())
  const chosen: number[] = []
  let room = 'words' in length ? length.words : length.sentences
  while (left.size > 0 && room > 0) {
    // Of equals, the first.
    let best = -1
    for (const i of left) if (best < 0 || gain(i) > gain(best)) best = i
    left.delete(best)
    const cost = 'words' in length ? (words[best] ?? 0) : 1
    // One that is too long makes room for a shorter one; only the first may be.
    if (cost > room && chosen.length > 0) continue
    chosen.push(best)
    room -= cost
    for (const i of left) taken[i] = Math.max(taken[i] ?? 0, likeness.between(i, best))
  }
  return chosen.sort((a, b) => a - b)

  function gain(i: number): number {
    return (worth[i] ?? 0) - REDUNDANT * (taken[i] ?? 0)
  }
}
