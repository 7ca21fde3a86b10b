/** Something wrong with a data set that its owner can put right. */

export type DataSetErrorCode =
  /** The file is not of the kind that it was taken for, or damaged. */
  | 'unreadable'
  | 'encrypted'
  /** A name that leads out of the archive. */
  | 'unsafe_name'
  /** Over one of the limits. */
  | 'too_large'
  | 'too_few'
  | 'unreadable_image'
  | 'bad_caption'
  | 'bad_header'
  /** A row with more or fewer cells than the header. */
  | 'ragged_row'
  | 'bad_value'
  | 'constant_column'
  | 'unknown_column'

export interface DataSetErrorOptions {
  /** In a table, from 1. */
  readonly line?: number
  /** In an archive. */
  readonly file?: string
  readonly cause?: unknown
}

/** Its message is a sentence for the owner. */
export class DataSetError extends Error {
  override readonly name = 'DataSetError'
  readonly code: DataSetErrorCode
  readonly line: number | undefined
  readonly file: string | undefined

  constructor(code: DataSetErrorCode, message: string, { line, file, cause }: DataSetErrorOptions = {}) {
    super(message, { cause })
    this.code = code
    this.line = line
    this.file = file
  }
}

/** What somebody wrote, short enough for a message. */
export function shown(text: string): string {
  return text.length > 60 ? `'${text.slice(0, 60)}…'` : `'${text}'`
}
