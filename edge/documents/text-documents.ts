/** Plain text and HTML: one segment, which is all of it. */
import { encodeHtml, markupPieces } from '../translation/markup-pieces.ts'
import { plain } from '../translation/pieces.ts'
import { plainPieces } from '../translation/plain-pieces.ts'
import { decodeText, encodeText, MARKUP, type OpenDocument } from './open-document.ts'

export function openText(bytes: Uint8Array): OpenDocument {
  const text = decodeText(bytes)
  return {
    segments: [{ text, pieces: (options) => plainPieces(text, { ...options, split: 'lines' }) }],
    encode: plain,
    write: ([translation = '']) => encodeText(translation),
  }
}

export function openHtml(bytes: Uint8Array): OpenDocument {
  const text = decodeText(bytes)
  return {
    segments: [
      {
        text,
        pieces: (options) => markupPieces(text, { ...options, ...MARKUP, markup: 'html', split: 'punctuation' }),
      },
    ],
    encode: encodeHtml,
    write: ([translation = '']) => encodeText(translation),
  }
}
