/** CSV (RFC 4180): quoted cells, commas, semicolons or tabs, any line ends, empty lines passed over. */

export interface CsvLine {
  /** In the file, from 1. */
  readonly line: number
  readonly cells: readonly string[]
}

const DELIMITERS = [',', ';', '\t'] as const

/** Line by line: the cells of a large table need not lie in memory at once. */
export function* parseCsv(source: string): Generator<CsvLine, void, undefined> {
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source
  const delimiter = delimiterOf(text)
  let cells: string[] = []
  let line = 1
  let begun = 1
  let at = 0
  while (at < text.length) {
    const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at, delimiter)
    cells.push(cell.value)
    line += cell.lines
    at = cell.end
    if (text[at] === delimiter) {
      at += 1
      if (at === text.length) cells.push('')
      continue
    }
    if (text.startsWith('\r\n', at)) at += 2
    else if (at < text.length) at += 1
    line += 1
    if (!isEmpty(cells)) yield { line: begun, cells }
    cells = []
    begun = line
  }
  if (!isEmpty(cells)) yield { line: begun, cells }
}

function isEmpty(cells: readonly string[]): boolean {
  return cells.length === 0 || (cells.length === 1 && cells[0] === '')
}

/** The one that the first line has most of. */
function delimiterOf(text: string): string {
  const first = /^[^\r\n]*/.exec(text)?.[0] ?? ''
  const counts = DELIMITERS.map((delimiter) => first.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ','
}

interface Cell {
  readonly value: string
  readonly end: number
  /** Line ends within. */
  readonly lines: number
}

function plainCell(text: string, start: number, delimiter: string): Cell {
  let end = start
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end += 1
  return { value: text.slice(start, end).trim(), end, lines: 0 }
}

/** What follows the closing quote, up to the delimiter, belongs to nothing and is passed over. */
function quotedCell(text: string, start: number): Cell {
  let end = start + 1
  let value = ''
  for (;;) {
    const quote = text.indexOf('"', end)
    if (quote < 0) return { value: value + text.slice(end), end: text.length, lines: linesIn(text.slice(start)) }
    value += text.slice(end, quote)
    if (text[quote + 1] !== '"') return { value, end: quote + 1, lines: linesIn(value) }
    value += '"'
    end = quote + 2
  }
}

function linesIn(text: string): number {
  return text.split(/\r\n|\r|\n/).length - 1
}

/** A cell as CSV has it. */
export function csvCell(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}
