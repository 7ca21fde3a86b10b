/**
 * Sentences and their translations in files of somebody's own: TMX (https://www.gala-global.org/tmx-14b), JSONL as data sets
 * for translation have it, `{"translation": {"en": "…", "fr": "…"}}`, or a table with tabs whose first line names the
 * languages.
 */
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Parser } from 'htmlparser2'
import * as v from 'valibot'
import { plainText } from '#models/tokenizer/translation-tokenizer.ts'
import { DATA_LIMITS } from './data-limits.ts'
import type { PairSet } from './data-set.ts'
import { DataSetError, shown } from './data-set-error.ts'

type Languages = PairSet['languages']
interface Pair {
  readonly source: string
  readonly target: string
}

const SNIFFED_BYTES = 4096
const lineSchema = v.object({ translation: v.record(v.string(), v.string()) })

/**
 * All pairs, each once, without those that are empty on a side.
 * @param languages of the pairs that are wanted; a file may have others. Of `fr` are `fr-CA` and `FR` too.
 * @throws DataSetError that names the line
 */
export async function readPairs(file: string, languages: Languages): Promise<PairSet> {
  const start = (await firstBytes(file)).replace(/^\ufeff/u, '').trimStart()
  const read = start.startsWith('<') ? readTmx : start.startsWith('{') ? readJsonLines : readTabs
  const found = new Map<string, Pair>()
  for await (const pair of read(file, languages)) {
    const [source, target] = [plainText(pair.source), plainText(pair.target)]
    if (source === '' || target === '') continue
    found.set(JSON.stringify([source, target]), { source, target })
    if (found.size > DATA_LIMITS.rows) {
      throw new DataSetError('too_large', `The file has more than ${DATA_LIMITS.rows} pairs, which is the limit.`)
    }
  }
  if (found.size < 2) {
    const message = `The file has ${found.size} pairs of ${languages.source} and ${languages.target}; at least 2 are needed.`
    throw new DataSetError('too_few', message)
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

const isOf = (language: string, wanted: string): boolean =>
  language.toLowerCase() === wanted.toLowerCase() || language.toLowerCase().startsWith(`${wanted.toLowerCase()}-`)

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

async function* readTabs(file: string, { source, target }: Languages): AsyncGenerator<Pair> {
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
    yield { source: cells[columns.source] ?? '', target: cells[columns.target] ?? '' }
  }
}

async function* readJsonLines(file: string, { source, target }: Languages): AsyncGenerator<Pair> {
  for await (const [line, number] of linesOf(file)) {
    const texts = Object.entries(translationOf(line, number))
    const of = (wanted: string) => texts.find(([language]) => isOf(language, wanted))?.[1]
    const [from, to] = [of(source), of(target)]
    if (from !== undefined && to !== undefined) yield { source: from, target: to }
  }
}

function translationOf(line: string, number: number): Readonly<Record<string, string>> {
  try {
    return v.parse(lineSchema, JSON.parse(line)).translation
  } catch (cause) {
    const message = `Line ${number} is not {"translation": {"en": "…", "fr": "…"}}: ${shown(line)}.`
    throw new DataSetError('bad_value', message, { line: number, cause })
  }
}

/** Mark-up inside of segments is left out. */
async function* readTmx(file: string, { source, target }: Languages): AsyncGenerator<Pair> {
  if ((await stat(file)).size > DATA_LIMITS.tmxBytes) {
    throw new DataSetError('too_large', `The file is over ${DATA_LIMITS.tmxBytes} bytes, which is the limit.`)
  }
  const units: Map<string, string>[] = []
  let unit: Map<string, string> | undefined
  let language = ''
  let segment: string | undefined
  /** Elements of mark-up inside the segment that are open: what they hold is codes. */
  let codes = 0
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (name === 'tu') unit = new Map()
        else if (name === 'tuv') language = attributes['xml:lang'] ?? attributes.lang ?? ''
        else if (name === 'seg') segment = ''
        else if (segment !== undefined && name !== 'hi') codes++
      },
      ontext(text) {
        if (segment !== undefined && codes === 0) segment += text
      },
      onclosetag(name) {
        if (name === 'tu' && unit) units.push(unit)
        else if (name === 'seg' && segment !== undefined) {
          unit?.set(language, segment)
          segment = undefined
          codes = 0
        } else if (segment !== undefined && name !== 'hi') codes--
      },
    },
    { xmlMode: true },
  )
  parser.end((await readFile(file)).toString('utf8'))
  for (const texts of units) {
    const of = (wanted: string) => [...texts].find(([language]) => isOf(language, wanted))?.[1]
    const [from, to] = [of(source), of(target)]
    if (from !== undefined && to !== undefined) yield { source: from, target: to }
  }
}

async function firstBytes(file: string): Promise<string> {
  await using handle = await open(file)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0)
  const text = buffer.toString('utf8', 0, bytesRead)
  if (text.includes('\0'))
    throw new DataSetError('unreadable', 'The file is not text: expected TMX, JSONL or TSV in UTF-8.')
  return text
}
