/** SubRip subtitles: the words of each cue, on as many lines as they were on. */
import { plain } from '../translation/pieces.ts'
import { plainPieces } from '../translation/plain-pieces.ts'
import { DocumentError, decodeText, encodeText, type OpenDocument } from './open-document.ts'

const TIMES = /^\s*\d+:\d\d:\d\d[,.]\d{1,3}\s*-->\s*\d+:\d\d:\d\d[,.]\d{1,3}/

/** @throws DocumentError if there is no cue */
export function openSubtitles(bytes: Uint8Array): OpenDocument {
  const text = decodeText(bytes)
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text.split(/\r\n|\n/)
  /** What is between cues as it stands, and the lines of each. */
  const parts: (string | string[])[] = []
  for (let i = 0; i < lines.length; i++) {
    parts.push(lines[i] ?? '')
    if (!TIMES.test(lines[i] ?? '')) continue
    const cue: string[] = []
    while (i + 1 < lines.length && lines[i + 1]?.trim() !== '') cue.push(lines[++i] ?? '')
    if (cue.length > 0) parts.push(cue)
  }
  const cues = parts.filter((part) => typeof part === 'object')
  if (cues.length === 0) throw new DocumentError('it has no subtitles')
  return {
    segments: cues.map((cue) => {
      const words = cue.join('\n')
      return { text: words, pieces: (options) => plainPieces(words, { ...options, split: 'punctuation' }) }
    }),
    encode: plain,
    write(translations) {
      let at = 0
      const written = parts.flatMap((part) =>
        typeof part === 'string' ? [part] : onLines(translations[at++] ?? '', part.length),
      )
      return encodeText(written.join(end))
    },
  }
}

/** Parted at spaces into lines of about one length. */
export function onLines(text: string, count: number): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const length = words.join(' ').length
  const lines: string[] = []
  let line = ''
  for (const [i, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`
    const isFull = line !== '' && longer.length - word.length / 2 > length / count
    if (isFull && lines.length < count - 1 && i > 0) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}
