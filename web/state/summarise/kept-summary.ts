/** What is being summarised, and what came of it, as this tab keeps it over a reload. */
import * as v from 'valibot'

const span = v.object({ start: v.number(), end: v.number() })
const schema = v.object({
  text: v.fallback(v.string(), ''),
  style: v.fallback(v.picklist(['extractive', 'abstractive']), 'extractive'),
  unit: v.fallback(v.picklist(['sentences', 'words']), 'sentences'),
  sentences: v.fallback(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)), 3),
  words: v.fallback(v.pipe(v.number(), v.integer(), v.minValue(20), v.maxValue(400)), 100),
  /** BCP 47; null: it is found out. */
  language: v.fallback(v.nullable(v.string()), null),
  /** Of `text` as it is. */
  summary: v.fallback(
    v.nullable(
      v.object({
        sentences: v.array(v.object({ text: v.string(), source: v.array(span) })),
        style: v.picklist(['extractive', 'abstractive']),
        degraded: v.boolean(),
        unsupported: v.number(),
      }),
    ),
    null,
  ),
})
export type KeptSummary = v.InferOutput<typeof schema>

const KEY = 'tandem-summary'

export function readKept(storage: Pick<Storage, 'getItem'>): KeptSummary {
  let stored: unknown = null
  try {
    stored = JSON.parse(storage.getItem(KEY) ?? '{}')
  } catch {
    // As if nothing had been kept.
  }
  const parsed = v.safeParse(schema, stored)
  return parsed.success ? parsed.output : v.parse(schema, {})
}

export function keep(storage: Pick<Storage, 'setItem'>, kept: KeptSummary): void {
  try {
    storage.setItem(KEY, JSON.stringify(kept))
  } catch {
    // A browser that keeps nothing, or not so much, still has it while the page is open.
  }
}
