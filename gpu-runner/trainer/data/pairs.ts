/**
 * Sentences and their translations in files of somebody's own: TMX (https://www.gala-global.org/tmx-14b), JSONL as data sets
 * for translation have it, `{"translation": {"en": "…", "fr": "…"}}`, or a table with tabs whose first line names the
 * languages.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { plainText } from '#models/tokenizer/translation-tokenizer.ts'
import { DATA_LIMITS } from './data-limits.ts'
import type { PairSet } from './data-set.ts'
import { DataSetError, shown } from './data-set-error.ts'
import { readTmx, type Unit } from './tmx.ts'

type Languages = PairSet['languages']
interface Pair {
  readonly source: string
  readonly target: string
}

const SNIFFED_BYTES = 4096
/** Languages of a file that are named where the wanted ones are missing. */
const MOST_NAMED = 20
const lineSchema = v.object({ translation: v.record(v.string(), v.string()) })

/**
 * All pairs, each once, without those that are empty on a side.
 * @param languages of the pairs that are wanted; a file may have others.
 * @throws DataSetError that names the line, or the unit of a TMX file
 */
export async function readPairs(file: string, languages: Languages): Promise<PairSet> {
  const start = await startOf(file)
  const read = start.startsWith('<') ? readTmx : start.startsWith('{') ? readJsonLines : readTabs
  const found = new Map<string, Pair>()
  const others = new Set<string>()
  for await (const unit of read(file, languages)) {
    const of = (wanted: string) => plainText([...unit].find(([language]) => isOf(language, wanted))?.[1] ?? '')
    const [source, target] = [of(languages.source), of(languages.target)]
    if (others.size < MOST_NAMED) for (const language of unit.keys()) others.add(language)
    if (source === '' || target === '') continue
    found.set(JSON.stringify([source, target]), { source, target })
    if (found.size > DATA_LIMITS.rows) {
      throw new DataSetError('too_large', `The file has more than ${DATA_LIMITS.rows} pairs, which is the limit.`)
    }
  }
  if (found.size < 2) {
    const named = found.size === 0 && others.size > 0 ? ` It has texts in ${[...others].map(shown).join(', ')}.` : ''
    const message = `The file has ${found.size} pairs of ${languages.source} and ${languages.target}; at least 2 are needed.`
    throw new DataSetError('too_few', message + named)
  }
  const pairs = [...found.values()]
  return {
    kind: 'pairs',
    count: pairs.length,
    languages,
    source: pairs.map(({ source }) => source),
    target: pairs.map(({ target }) => target),
  }
}

/** Of `fr` are `FR`, `fr-CA` and `fr_CA`. */
function isOf(language: string, wanted: string): boolean {
  const [one, other] = [language, wanted].map((code) => code.toLowerCase().replaceAll('_', '-')) as [string, string]
  return one === other || one.startsWith(`${other}-`)
}

async function* linesOf(file: string): AsyncGenerator<readonly [line: string, number: number]> {
  let number = 0
  for await (const line of createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    number++
    if (line.length > DATA_LIMITS.lineBytes) {
      const message = `Line ${number} has more than ${DATA_LIMITS.lineBytes} characters, which is the limit.`
      throw new DataSetError('too_large', message, { line: number })
    }
    if (line.trim() !== '') yield [number === 1 ? line.replace(/^\ufeff/u, '') : line, number]
  }
}

async function* readTabs(file: string, { source, target }: Languages): AsyncGenerator<Unit> {
  let columns: { source: number; target: number; count: number } | undefined
  for await (const [line, number] of linesOf(file)) {
    const cells = line.split('\t')
    if (!columns) {
      const at = (wanted: string) => cells.findIndex((cell) => isOf(cell.trim(), wanted))
      columns = { source: at(source), target: at(target), count: cells.length }
      if (columns.source < 0 || columns.target < 0) {
        const message = `The first line has to name the languages ${source} and ${target} with a tab between, and is ${shown(line)}.`
        throw new DataSetError('bad_header', message, { line: number })
      }
      continue
    }
    if (cells.length !== columns.count) {
      const message = `Line ${number} has ${cells.length} cells, the first line ${columns.count}.`
      throw new DataSetError('ragged_row', message, { line: number })
    }
    yield new Map([
      [source, cells[columns.source] ?? ''],
      [target, cells[columns.target] ?? ''],
    ])
  }
}

async function* readJsonLines(file: string): AsyncGenerator<Unit> {
  for await (const [line, number] of linesOf(file)) yield new Map(Object.entries(translationOf(line, number)))
}

function translationOf(line: string, number: number): Readonly<Record<string, string>> {
  try {
    return v.parse(lineSchema, JSON.parse(line)).translation
  } catch (cause) {
    const message = `Line ${number} is not {"translation": {"en": "…", "fr": "…"}}: ${shown(line)}.`
    throw new DataSetError('bad_value', message, { line: number, cause })
  }
}

/** Of a text; that of a TMX file may be in UTF-16. */
async function startOf(file: string): Promise<string> {
  await using handle = await open(file)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0)
  const bytes = buffer.subarray(0, bytesRead)
  if ([0xfeff, 0xfffe].includes(bytesRead < 2 ? 0 : bytes.readUInt16BE())) return '<'
  if (bytes.includes(0)) {
    throw new DataSetError('unreadable', 'The file is not text: expected TMX, JSONL or TSV in UTF-8.')
  }
  return bytes
    .toString('utf8')
    .replace(/^\ufeff/u, '')
    .trimStart()
}
