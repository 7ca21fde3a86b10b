/** Which languages can be translated into which, and by which model: as runners describe their models. */
import type { RunnerModel } from '#protocol/generation.ts'
import type { PublishedTranslation, TranslationParts } from '#protocol/published-model.ts'

export interface Pair {
  /** ISO 639-1. */
  readonly source: string
  readonly target: string
  readonly model: string
  /** Tokens that the model takes. */
  readonly contextLength: number
  /** Of a model that somebody trained: its files, which any runner can fetch. */
  readonly published?: TranslationParts
}

/**
 * Of several models for one pair, the first.
 * @param own of who asks, the newest first: they come before those of runners
 */
export function pairsOf(models: readonly RunnerModel[], own: readonly PublishedTranslation[] = []): Pair[] {
  const pairs = new Map<string, Pair>()
  for (const pair of [...own.map(ownPair), ...models.flatMap(runnerPair)]) {
    const name = `${pair.source} ${pair.target}`
    if (!pairs.has(name)) pairs.set(name, pair)
  }
  return [...pairs.values()].sort((a, b) => (a.source + a.target < b.source + b.target ? -1 : 1))
}

function ownPair({ id, parts }: PublishedTranslation): Pair {
  const { languages, sourceLength } = parts
  return { ...languages, model: id, contextLength: sourceLength, published: parts }
}

function runnerPair(model: RunnerModel): Pair[] {
  const { id, task, source_language: source, target_language: target, contextLength } = model
  if (task !== 'translation' || source === undefined || target === undefined) return []
  return [{ source, target, model: id, contextLength }]
}

export const sourcesInto = (pairs: readonly Pair[], target: string): string[] =>
  pairs.filter((pair) => pair.target === target).map(({ source }) => source)

export const languagesOf = (pairs: readonly Pair[], side: 'source' | 'target'): string[] => [
  ...new Set(pairs.map((pair) => pair[side])),
]
