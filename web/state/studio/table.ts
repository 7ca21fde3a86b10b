/** A table of numbers as a model takes it: its columns, in its order. */
import { parseCsv } from '#protocol/csv.ts'
import { text } from '../../text-studio.ts'
import { FileProblem } from '../task.ts'

export interface NumberTable {
  readonly columns: readonly string[]
  /** In the file, from 1, of each row. */
  readonly lines: readonly number[]
  readonly rows: readonly (readonly number[])[]
}

const MOST_BYTES = 32 << 20
const MOST_ROWS = 100_000
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * Columns are found by name, in any order; others are left out.
 * @throws FileProblem that names what is missing, or the line and column of what is no number
 */
export async function readTable(file: Blob, columns: readonly string[]): Promise<NumberTable> {
  const name = file instanceof File ? file.name : text.files.unnamed
  if (file.size > MOST_BYTES) throw new FileProblem(text.files.tooLarge(name, file.size, MOST_BYTES))
  return parseTable(await file.text(), columns)
}

/** As `readTable`, of text. */
export function parseTable(source: string, columns: readonly string[]): NumberTable {
  const [header, ...lines] = parseCsv(source)
  if (!header) throw new FileProblem(text.files.empty)
  const places = columns.map((column) => header.cells.indexOf(column))
  const missing = columns.filter((_, i) => (places[i] ?? -1) < 0)
  if (missing.length > 0) throw new FileProblem(text.files.missingColumns(missing, header.cells))
  if (lines.length === 0) throw new FileProblem(text.files.noRows)
  if (lines.length > MOST_ROWS) throw new FileProblem(text.files.tooManyRows(lines.length, MOST_ROWS))
  const rows = lines.map(({ line, cells }) =>
    places.map((place, i) => {
      const cell = cells[place] ?? ''
      if (!NUMBER.test(cell)) throw new FileProblem(text.files.noNumber(line, columns[i] ?? '', cell))
      return Number(cell)
    }),
  )
  return { columns, lines: lines.map(({ line }) => line), rows }
}
