/** What was dropped to be trained on, looked at before it is sent. */
import { parseCsv } from '#protocol/csv.ts'
import { text } from '../../text-train.ts'
import { MOST_FILE_BYTES } from '../../transport/file-upload.ts'
import { FileProblem } from '../task.ts'
import { archiveOf } from './picture-archive.ts'

export type TrainingFile =
  /** `count`: of loose ones. */
  | { readonly kind: 'pictures'; readonly file: File; readonly count?: number }
  /** Its columns, if its first line names them. */
  | { readonly kind: 'table'; readonly file: File; readonly columns: readonly string[] }
  /** Sentences and their translations: the languages that its beginning has. */
  | { readonly kind: 'pairs'; readonly file: File; readonly languages: readonly string[] }

/** As the trainer has it. */
const PICTURE = /\.(png|jpe?g|webp|gif)$/i
const LOOKED_AT_BYTES = 1 << 16
/** Of a zip's first entry, and of an empty one. */
const ZIP = ['PK\x03\x04', 'PK\x05\x06']

/**
 * One archive or table, or loose pictures, which become an archive.
 * @throws FileProblem if it is too large, empty, none of these, or a memory of one language
 */
export async function readTrainingData(files: readonly File[]): Promise<TrainingFile> {
  const [first, ...others] = files
  if (!first) throw new TypeError('there is no file')
  const isPicture = (file: File) => PICTURE.test(file.name)
  if (others.length === 0 && !isPicture(first)) return readTrainingFile(first)
  const wrong = files.find((file) => !isPicture(file))
  if (wrong) throw new FileProblem(text.files.notAlone(wrong.name))
  if (others.length === 0) throw new FileProblem(text.files.onePicture(first.name))
  return { kind: 'pictures', file: await archiveOf(files, text.files.archive), count: files.length }
}

async function readTrainingFile(file: File): Promise<TrainingFile> {
  if (file.size > MOST_FILE_BYTES) throw new FileProblem(text.files.tooLarge(file.name, file.size, MOST_FILE_BYTES))
  if (file.size === 0) throw new FileProblem(text.files.empty(file.name))
  const bytes = new Uint8Array(await file.slice(0, LOOKED_AT_BYTES).arrayBuffer())
  if (ZIP.includes(String.fromCharCode(...bytes.subarray(0, 4)))) return { kind: 'pictures', file }
  const isWide = bytes[0] === 0xff || bytes[0] === 0xfe
  if (isWide) return memoryOf(file, languagesOf(decoded(bytes)))
  if (bytes.includes(0)) throw new FileProblem(text.files.wrongKind(file.name))
  const start = new TextDecoder().decode(bytes)
  const languages = languagesOf(start)
  if (start.trimStart().startsWith('<') || languages.length > 0) return memoryOf(file, languages)
  return { kind: 'table', file, columns: columnsOf(start) }
}

/** @throws FileProblem if its beginning has not two languages to choose from */
function memoryOf(file: File, languages: readonly string[]): TrainingFile {
  if (languages.length < 2) throw new FileProblem(text.files.oneLanguage(file.name))
  return { kind: 'pairs', file, languages }
}

/** UTF-16, as its first bytes say. */
const decoded = (bytes: Uint8Array): string =>
  new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes.subarray(0, bytes.length & ~1))

/** Whether it is the code of a language, and not a word that a column is called by. */
function isLanguage(cell: string): boolean {
  if (!/^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$/i.test(cell)) return false
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })
  return names.of(cell.split(/[-_]/)[0] ?? '') !== undefined
}

/** Of a translation memory: TMX, lines of `{"translation": {"en": …}}`, or a table with tabs whose first line names them. */
function languagesOf(start: string): readonly string[] {
  const [first = ''] = start.trimStart().split(/\r\n|\r|\n/)
  return [...new Set(namesOf(first, start).flatMap((name) => name.split(/[-_]/)[0]?.toLowerCase() ?? []))]
}

function namesOf(first: string, start: string): readonly string[] {
  if (first.startsWith('<'))
    return [...start.matchAll(/<tuv\b[^>]*?\blang\s*=\s*["']([\w-]+)["']/g)].map(([, name]) => name ?? '')
  if (first.startsWith('{')) {
    const translation = /^\{.*?"translation"\s*:\s*(\{[^{}]*\})/.exec(first)?.[1]
    return [...(translation ?? '').matchAll(/"([\w-]{2,20})"\s*:/g)].map(([, name]) => name ?? '')
  }
  const cells = first.split('\t').map((cell) => cell.trim())
  return cells.length > 1 && cells.every(isLanguage) ? cells : []
}

/** Of CSV its first line; of JSONL the names in its first object. */
function columnsOf(start: string): readonly string[] {
  const first = start.split(/\r\n|\r|\n/)[0] ?? ''
  if (!first.trimStart().startsWith('{')) return parseCsv(first).next().value?.cells ?? []
  try {
    return Object.keys(JSON.parse(first) as object)
  } catch {
    // A first line that is longer than what is looked at, or no JSON: the server says what is wrong with it.
    return []
  }
}
