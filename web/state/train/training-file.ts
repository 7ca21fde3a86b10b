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

/** As the trainer has it. */
const PICTURE = /\.(png|jpe?g|webp|gif)$/i
const LOOKED_AT_BYTES = 1 << 16
/** Of a zip's first entry, and of an empty one. */
const ZIP = ['PK\x03\x04', 'PK\x05\x06']

/**
 * One archive or table, or loose pictures, which become an archive.
 * @throws FileProblem if it is too large, empty, or none of these
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
  if (bytes.includes(0)) throw new FileProblem(text.files.wrongKind(file.name))
  const start = new TextDecoder().decode(bytes)
  return { kind: 'table', file, columns: columnsOf(start) }
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
