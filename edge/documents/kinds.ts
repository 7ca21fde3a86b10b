/** The kinds of documents that are read, by the ends of their names. */
import { openDocx } from './docx.ts'
import { DocumentError, type OpenDocument } from './open-document.ts'
import { openSubtitles } from './subtitles.ts'
import { openHtml, openText } from './text-documents.ts'
import { openXliff } from './xliff.ts'

interface Kind {
  readonly open: (bytes: Uint8Array) => OpenDocument
  readonly contentType: string
}

const HTML = { open: openHtml, contentType: 'text/html; charset=utf-8' }
const XLIFF = { open: openXliff, contentType: 'application/xliff+xml' }
const KINDS: Readonly<Record<string, Kind>> = {
  txt: { open: openText, contentType: 'text/plain; charset=utf-8' },
  html: HTML,
  htm: HTML,
  srt: { open: openSubtitles, contentType: 'application/x-subrip' },
  xlf: XLIFF,
  xliff: XLIFF,
  docx: {
    open: openDocx,
    contentType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  },
}
export const DOCUMENT_KINDS: readonly string[] = Object.keys(KINDS)

/** @throws DocumentError for a name with another end */
export function kindOf(filename: string): Kind {
  const end = /\.(\w+)$/.exec(filename)?.[1]?.toLowerCase() ?? ''
  const kind = Object.hasOwn(KINDS, end) ? KINDS[end] : undefined
  if (kind) return kind
  throw new DocumentError(`documents of the kind '${end}' are not read; ${DOCUMENT_KINDS.join(', ')} are`)
}
