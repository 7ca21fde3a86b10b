/** The text of a file that somebody uploaded, as its reader sees it: plain text, HTML, Word and PDF. */
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { EdgeContext } from '../context.ts'
import { textOfDocx } from '../documents/docx.ts'
import { DocumentError, decodeText } from '../documents/open-document.ts'
import { ownFile } from '../files/own-file.ts'
import { keyOfFile } from '../storage/files.ts'
import { textOfHtml } from './html-text.ts'
import { textOfPdf } from './pdf-text.ts'

type Reader = (bytes: Uint8Array) => string | Promise<string>
const READERS: Readonly<Record<string, Reader>> = {
  txt: decodeText,
  md: decodeText,
  html: (bytes) => textOfHtml(decodeText(bytes)),
  htm: (bytes) => textOfHtml(decodeText(bytes)),
  docx: textOfDocx,
  pdf: textOfPdf,
}
const param = 'file_id'

/** @throws ApiError 403, 404, 413 for too large a file, 400 for another kind, 422 for one that cannot be read or has no text */
export async function textOfFile(c: EdgeContext, id: string): Promise<string> {
  const { file } = await ownFile(c, id)
  const end = /\.(\w+)$/.exec(file.filename)?.[1]?.toLowerCase() ?? ''
  const reader = Object.hasOwn(READERS, end) ? READERS[end] : undefined
  if (!reader) {
    const message = `Invalid 'file_id': files of the kind '${end}' have no text that is read; ${Object.keys(READERS).join(', ')} have.`
    throw new ApiError('invalid_value', message, { param })
  }
  if (file.bytes > LIMITS.summaryFileBytes) {
    const message = `A file to summarise may have at most ${LIMITS.summaryFileBytes} bytes; '${file.filename}' has ${file.bytes}.`
    throw new ApiError('request_too_large', message, { param })
  }
  const object = await c.env.OBJECTS.get(keyOfFile(id))
  // Deleted in this very moment.
  if (!object) throw new ApiError('not_found', `There is no file '${id}'.`, { param })
  const text = await read(reader, new Uint8Array(await object.arrayBuffer()), file.filename)
  if (text.length > LIMITS.textLength) {
    const message = `'${file.filename}' has ${text.length} characters of text; the limit is ${LIMITS.textLength}.`
    throw new ApiError('request_too_large', message, { param })
  }
  return text
}

async function read(reader: Reader, bytes: Uint8Array, filename: string): Promise<string> {
  let text: string
  try {
    text = (await reader(bytes)).trim()
  } catch (cause) {
    if (!(cause instanceof DocumentError)) throw cause
    throw new ApiError('unprocessable', `'${filename}' cannot be read: ${cause.message}.`, { param, cause })
  }
  if (text !== '') return text.toWellFormed()
  throw new ApiError('unprocessable', `'${filename}' has no text; pictures of text are not read.`, { param })
}
