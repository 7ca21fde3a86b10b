/** Sequences of neighbours, counted. */

export type Counts = ReadonlyMap<string, number>

/** Those of `order` items, each written as its items with `between` between them. */
export function ngrams(items: readonly string[], order: number, between: string): Counts {
  const counts = new Map<string, number>()
  for (let i = 0; i + order <= items.length; i++) {
    const key = items.slice(i, i + order).join(between)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

export const total = (counts: Counts): number => [...counts.values()].reduce((a, b) => a + b, 0)

/** How many of the one are among the other, each at most as often as it is there. */
export function matches(found: Counts, wanted: Counts): number {
  let sum = 0
  for (const [key, count] of found) sum += Math.min(count, wanted.get(key) ?? 0)
  return sum
}
