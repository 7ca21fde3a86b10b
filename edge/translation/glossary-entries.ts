/** A dictionary's entries as they are sent: tab-separated lines, or CSV. */
import { CsvError, parse } from 'csv-parse/browser/esm/sync'
import { ApiError } from '#protocol/error.ts'
import type { DictionaryRequest } from '#protocol/glossaries.ts'
import { LIMITS } from '#protocol/limits.ts'
import { nameOf } from './languages.ts'

export type Entry = readonly [source: string, target: string]

/** @throws ApiError 400 that names the entry */
export function readEntries(request: DictionaryRequest): Entry[] {
  const { source_lang: source, target_lang: target } = request
  for (const language of [source, target]) {
    if (nameOf(language) === language) throw invalid(`there is no language '${language}'`)
  }
  if (source === target) throw new ApiError('invalid_value', 'Source and target language are equal.')
  const rows = request.entries_format === 'csv' ? csvRows(request.entries, source, target) : tsvRows(request.entries)
  if (rows.length === 0) throw invalid('there are none')
  if (rows.length > LIMITS.dictionaryEntries)
    throw invalid(`at most ${LIMITS.dictionaryEntries} are kept, got ${rows.length}`)
  const places = new Map<string, number>()
  for (const [i, [from, to]] of rows.entries()) {
    requireTerm(from, i)
    requireTerm(to, i)
    const first = places.get(from)
    if (first !== undefined) throw invalid(`key with the index ${i} duplicates key with the index ${first}`)
    places.set(from, i)
  }
  return rows
}

/** As DeepL gives them back. */
export const toTsv = (entries: readonly Entry[]): string => entries.map((entry) => entry.join('\t')).join('\n')

function tsvRows(text: string): Entry[] {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '')
  return lines.map((line, i) => {
    const [source = '', target, more] = line.split('\t')
    if (target === undefined) throw invalid(`key with the index ${i} misses tab separator`)
    if (more !== undefined) throw invalid(`key with the index ${i} has several tab separators`)
    return [source.trim(), target.trim()]
  })
}

function csvRows(text: string, source: string, target: string): Entry[] {
  return records(text).map((fields, i) => {
    const [from, to, fromLanguage = source, toLanguage = target] = fields
    if (from === undefined || to === undefined || ![2, 4].includes(fields.length)) {
      throw invalid(`key with the index ${i} has ${fields.length} fields, not 2 or 4`)
    }
    if (fromLanguage.toLowerCase() !== source || toLanguage.toLowerCase() !== target) {
      throw invalid(`key with the index ${i} is from '${fromLanguage}' to '${toLanguage}'`)
    }
    return [from, to]
  })
}

function records(text: string): string[][] {
  try {
    return parse(text, { relax_column_count: true, skip_empty_lines: true, trim: true })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw invalid(error.message)
  }
}

function requireTerm(term: string, index: number): void {
  if (term === '') throw invalid(`key with the index ${index} has an empty term`)
  if (term.length > LIMITS.glossaryTermLength) {
    throw invalid(`key with the index ${index} has a term of more than ${LIMITS.glossaryTermLength} characters`)
  }
  if (/[\p{Cc}\u2028\u2029⟦⟧]/u.test(term))
    throw invalid(`key with the index ${index} has a character that no term may have`)
}

const invalid = (why: string): ApiError =>
  new ApiError('invalid_value', `Invalid glossary entries provided: ${why}.`, { param: 'entries' })
