/** Which languages can be translated into which, and by which model: as runners describe their models. */
import type { RunnerModel } from '#protocol/generation.ts'

export interface Pair {
  /** ISO 639-1. */
  readonly source: string
  readonly target: string
  readonly model: string
  /** Tokens that the model takes. */
  readonly contextLength: number
}

/** Of several models for one pair, the first that is listed. */
export function pairsOf(models: readonly RunnerModel[]): Pair[] {
  const pairs = new Map<string, Pair>()
  for (const { id, task, source_language: source, target_language: target, contextLength } of models) {
    if (task !== 'translation' || source === undefined || target === undefined) continue
    const name = `${source} ${target}`
    if (!pairs.has(name)) pairs.set(name, { source, target, model: id, contextLength })
  }
  return [...pairs.values()].sort((a, b) => (a.source + a.target < b.source + b.target ? -1 : 1))
}

export const sourcesInto = (pairs: readonly Pair[], target: string): string[] =>
  pairs.filter((pair) => pair.target === target).map(({ source }) => source)

export const languagesOf = (pairs: readonly Pair[], side: 'source' | 'target'): string[] => [
  ...new Set(pairs.map((pair) => pair[side])),
]
