/** The rows of a glossary as they are edited, and what is wrong with them. */
import { parseCsv } from '#protocol/csv.ts'
import type { Term } from '../../transport/glossaries.ts'
import { text } from '../../text-translate.ts'

/**
 * A table of two columns as rows, from CSV or what a spreadsheet copies; null if it is none, but a term like another. A
 * comma alone does not make a table of one line: terms have commas.
 */
export function pastedTerms(pasted: string): Term[] | null {
  const lines = [...parseCsv(pasted.trimEnd())]
  if (lines.length < 2 && !pasted.includes('\t')) return null
  if (lines.some(({ cells }) => cells.length < 2)) return null
  return lines.map(({ cells: [source = '', target = ''] }) => [source, target])
}

export interface CheckedTerms {
  readonly terms: readonly Term[]
  /** In words; null if nothing is wrong. */
  readonly problem: string | null
}

/** Rows without anything in them are passed over. */
export function checkTerms(rows: readonly Term[]): CheckedTerms {
  const terms: Term[] = []
  const seen = new Set<string>()
  const wrong = (problem: string) => ({ terms, problem })
  for (const [i, row] of rows.entries()) {
    const [source, target] = row.map((term) => term.trim()) as [string, string]
    if (source === '' && target === '') continue
    if (source === '' || target === '') return wrong(text.glossary.incomplete(i + 1))
    if (seen.has(source)) return wrong(text.glossary.duplicate(source))
    seen.add(source)
    terms.push([source, target])
  }
  return terms.length === 0 ? wrong(text.glossary.needsTerms) : { terms, problem: null }
}
