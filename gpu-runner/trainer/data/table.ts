/** Tables of numbers that somebody uploaded: CSV (RFC 4180) or JSONL, an object a line. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { CsvError, parse } from 'csv-parse'
import { DATA_LIMITS } from './data-limits.ts'
import type { RowSet } from './data-set.ts'
import { DataSetError, shown } from './data-set-error.ts'

export interface TableOptions {
  /** Those that are trained on, in this order; default: all but the label. */
  readonly columns?: readonly string[] | undefined
  /** One of 0 and 1 that is not trained on: whether a row is an anomaly, for evaluation. */
  readonly label?: string | undefined
}

/** A cell, as text or as JSON had it. */
type Cell = unknown
interface Record_ {
  readonly line: number
  readonly cells: readonly Cell[]
}
interface Table {
  readonly header: readonly string[]
  readonly records: AsyncIterable<Record_>
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const DELIMITERS = [',', ';', '\t'] as const
const SNIFFED_BYTES = 2 ** 16

/**
 * The whole table. Comma, semicolon or tab; a byte order mark, CRLF and empty lines are taken as they are.
 * @throws DataSetError that names the line, the column and the value which is wrong
 */
export async function readTable(file: string, options: TableOptions = {}): Promise<RowSet> {
  const table = await openTable(file)
  const columns = columnsOf(table.header, options)
  const label = options.label === undefined ? -1 : indexOf(table.header, options.label)
  const values = new Growing()
  const labels: number[] = []
  let count = 0
  for await (const { line, cells } of table.records) {
    if (++count > DATA_LIMITS.rows) throw tooLarge('rows', DATA_LIMITS.rows, `more than ${DATA_LIMITS.rows}`)
    if (count * columns.length > DATA_LIMITS.cells) throw tooLarge('cells', DATA_LIMITS.cells, 'more than that')
    for (const { name, index } of columns) values.push(numberOf(cells[index], { line, column: name }))
    if (label >= 0) labels.push(labelOf(cells[label], { line, column: options.label ?? '' }))
  }
  if (count < 2) throw tooFew(count)
  const names = columns.map(({ name }) => ({ name }))
  const set: RowSet = { kind: 'rows', count, columns: names, values: values.whole() }
  checkVariation(set)
  return labels.length > 0 ? { ...set, labels: Uint8Array.from(labels) } : set
}

/**
 * The columns that a table has numbers in, as its first row shows, without the label; and a sentence for each other one.
 * @throws DataSetError as `readTable` does, and if there is none
 */
export async function numberColumns(
  file: string,
  label?: string,
): Promise<{ columns: readonly string[]; warnings: readonly string[] }> {
  const { header, records } = await openTable(file)
  for await (const { cells } of records) {
    const columns = header.filter((name, i) => name !== label && isNumber(cells[i]))
    if (columns.length === 0) throw new DataSetError('unknown_column', 'The table has no column of numbers.')
    const others = header.filter((name) => name !== label && !columns.includes(name))
    const warnings = others.map((name) => `Column ${shown(name)} is left out: it does not begin with a number.`)
    return { columns, warnings }
  }
  throw tooFew(0)
}

async function openTable(file: string): Promise<Table> {
  const start = await firstBytes(file)
  if (start.trim() === '') throw new DataSetError('too_few', 'The file is empty.')
  if (start.includes('\0'))
    throw new DataSetError('unreadable', 'The file is not text: expected CSV or JSONL in UTF-8.')
  return /^\s*\{/.test(start) ? openJsonLines(file) : openCsv(file, start)
}

const tooFew = (count: number) =>
  new DataSetError('too_few', `A data set needs at least 2 rows below the header, got ${count}.`)

async function firstBytes(file: string): Promise<string> {
  await using handle = await open(file)
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0)
  return buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '')
}

async function openCsv(file: string, start: string): Promise<Table> {
  const line = start.split(/\r?\n/).find((text) => text.trim() !== '') ?? ''
  const count = (delimiter: string) => line.replaceAll(/"[^"]*"/g, '').split(delimiter).length
  const delimiter = DELIMITERS.reduce((best, next) => (count(next) > count(best) ? next : best))
  const parser = createReadStream(file).pipe(
    parse({
      bom: true,
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: DATA_LIMITS.lineBytes,
    }),
  )
  const records = read(parser)
  const first = await records.next()
  if (first.done) throw new DataSetError('too_few', 'The file is empty.')
  const header = first.value.cells.map(String)
  checkHeader(header)
  return { header, records: even(records, header.length) }
}

async function* read(parser: AsyncIterable<{ info: { lines: number }; record: string[] }>): AsyncGenerator<Record_> {
  try {
    for await (const { info, record } of parser) yield { line: info.lines, cells: record }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    const line = typeof cause.lines === 'number' ? cause.lines : undefined
    const message = `The file cannot be read as CSV: ${cause.message.replace(/\.$/, '')}.`
    throw new DataSetError('unreadable', message, { ...(line !== undefined && { line }), cause })
  }
}

async function* even(records: AsyncIterable<Record_>, width: number): AsyncGenerator<Record_> {
  for await (const record of records) {
    const { line, cells } = record
    if (cells.length !== width) {
      const message = `Line ${line} has ${cells.length} cells, the header has ${width}.`
      throw new DataSetError('ragged_row', message, { line })
    }
    yield record
  }
}

function checkHeader(header: readonly string[]): void {
  if (header.every((name) => NUMBER.test(name))) {
    const message = `The header is missing: the first line, ${shown(header.join(', '))}, has numbers alone. Put a line with the columns' names above it.`
    throw new DataSetError('bad_header', message, { line: 1 })
  }
  if (header.length > DATA_LIMITS.columns) throw tooLarge('columns', DATA_LIMITS.columns, header.length)
  for (const [i, name] of header.entries()) {
    if (name === '') throw new DataSetError('bad_header', `Column ${i + 1} has no name.`, { line: 1 })
    if (header.indexOf(name) !== i) {
      const message = `Columns ${header.indexOf(name) + 1} and ${i + 1} are both called ${shown(name)}.`
      throw new DataSetError('bad_header', message, { line: 1 })
    }
  }
}

async function openJsonLines(file: string): Promise<Table> {
  const records = readObjects(file)
  const first = await records.next()
  if (first.done) throw new DataSetError('too_few', 'The file is empty.')
  const header = Object.keys(first.value.object)
  if (header.length === 0) throw new DataSetError('bad_header', 'The first object is empty.', { line: 1 })
  checkHeader(header)
  async function* rows(): AsyncGenerator<Record_> {
    if (!first.done) yield cellsOf(first.value, header)
    for await (const next of records) yield cellsOf(next, header)
  }
  return { header, records: rows() }
}

interface ObjectLine {
  readonly line: number
  readonly object: Readonly<Record<string, unknown>>
}

async function* readObjects(file: string): AsyncGenerator<ObjectLine> {
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
  let line = 0
  for await (const text of lines) {
    line++
    const trimmed = text.replace(/^\uFEFF/, '').trim()
    if (trimmed === '') continue
    if (trimmed.length > DATA_LIMITS.lineBytes)
      throw tooLarge('characters in a line', DATA_LIMITS.lineBytes, text.length)
    let object: unknown
    try {
      object = JSON.parse(trimmed)
    } catch (cause) {
      throw new DataSetError('unreadable', `Line ${line} is not valid JSON.`, { line, cause })
    }
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw new DataSetError('unreadable', `Line ${line} is not a JSON object.`, { line })
    }
    yield { line, object: object as Record<string, unknown> }
  }
}

function cellsOf({ line, object }: ObjectLine, header: readonly string[]): Record_ {
  const names = Object.keys(object)
  const unknown = names.find((name) => !header.includes(name))
  if (unknown !== undefined) {
    const message = `Line ${line} has ${shown(unknown)}, which the first line has not.`
    throw new DataSetError('ragged_row', message, { line })
  }
  const missing = header.find((name) => !Object.hasOwn(object, name))
  if (missing !== undefined) {
    throw new DataSetError('ragged_row', `Line ${line} lacks ${shown(missing)}, which the first line has.`, { line })
  }
  return { line, cells: header.map((name) => object[name]) }
}

interface Column {
  readonly name: string
  readonly index: number
}

function columnsOf(header: readonly string[], { columns, label }: TableOptions): Column[] {
  const wanted = columns ?? header.filter((name) => name !== label)
  if (wanted.length === 0) throw new DataSetError('unknown_column', 'There is no column to train on.')
  return wanted.map((name) => ({ name, index: indexOf(header, name) }))
}

function indexOf(header: readonly string[], name: string): number {
  const index = header.indexOf(name)
  if (index >= 0) return index
  const message = `There is no column ${shown(name)}; the table has ${shown(header.join(', '))}.`
  throw new DataSetError('unknown_column', message)
}

interface Place {
  readonly line: number
  readonly column: string
}

function numberOf(cell: Cell, place: Place): number {
  const value = asNumber(cell)
  if (value !== undefined) return value
  throw badValue('a number', cell, place)
}

const isNumber = (cell: Cell): boolean => asNumber(cell) !== undefined

/** It is kept as a float32, of which 3.4e38 is the largest. */
function asNumber(cell: Cell): number | undefined {
  const value = typeof cell === 'string' && NUMBER.test(cell) ? Number(cell) : cell
  return typeof value === 'number' && Number.isFinite(Math.fround(value)) ? value : undefined
}

function labelOf(cell: Cell, place: Place): number {
  if (cell === 0 || cell === '0' || cell === false || cell === 'false') return 0
  if (cell === 1 || cell === '1' || cell === true || cell === 'true') return 1
  throw badValue('0 or 1', cell, place)
}

function badValue(expected: string, cell: Cell, { line, column }: Place): DataSetError {
  const given = cell === '' ? 'nothing' : shown(typeof cell === 'string' ? cell : (JSON.stringify(cell) ?? 'nothing'))
  const hint = typeof cell === 'string' && /^[+-]?\d+,\d+$/.test(cell) ? ' Decimals are written with a point.' : ''
  const message = `Line ${line}, column ${shown(column)}: expected ${expected}, got ${given}.${hint}`
  return new DataSetError('bad_value', message, { line })
}

/** A column that is the same in all rows says nothing, and cannot be standardised. */
function checkVariation({ count, columns, values }: RowSet): void {
  for (const [i, { name }] of columns.entries()) {
    const first = values[i]
    let row = 1
    while (row < count && values[row * columns.length + i] === first) row++
    if (row < count) continue
    const message = `Column ${shown(name)} is ${first} in every row, so that there is nothing to learn from it: leave it out.`
    throw new DataSetError('constant_column', message)
  }
}

function tooLarge(what: string, limit: number, given: number | string): DataSetError {
  return new DataSetError('too_large', `The table has too many ${what}: ${given}, the limit is ${limit}.`)
}

/** Numbers that come one by one. */
class Growing {
  #values = new Float32Array(2 ** 12)
  #length = 0

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float32Array(2 * this.#length)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.#length++] = value
  }

  whole(): Float32Array {
    return this.#values.slice(0, this.#length)
  }
}
