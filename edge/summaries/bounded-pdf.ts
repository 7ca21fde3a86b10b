/**
 * Keeps a PDF from unpacking to more than is computed here, which pdf.js has no bound for: what is packed is counted before
 * it is read. Pictures are of no use to a text, and are emptied (ISO 32000-1, 7.3.8 and 7.4).
 */
import { DocumentError } from '../documents/open-document.ts'
import { inflatedLength } from './inflated-length.ts'

/** Unpacked, all streams together. */
const MOST_BYTES = 64 << 20
/** Packed, of streams that cannot be looked into here: encrypted ones, and those of another method. */
const MOST_HIDDEN_BYTES = 1 << 20
/** Before what is deflated. */
const ZLIB_BYTES = 2
const MOST_STREAMS = 30_000
/** What is looked at before the keyword. */
const MOST_DICTIONARY = 4096
/** The keyword, and the rest of its line. */
const STREAM = /(?<!end)stream[^\r\n]*(?:\r\n|\r|\n)/g
const PACKING = /FlateDecode|LZWDecode|RunLengthDecode|\/(?:Fl|LZW|RL)\b/g

/** @returns the document, without pictures @throws DocumentError if it unpacks to too much */
export function boundedPdf(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder('latin1').decode(bytes)
  const bounded = bytes.slice()
  let [streams, unpacked, hidden, end, emptied] = [0, 0, 0, 0, 0]
  for (const { index, 0: keyword } of text.matchAll(STREAM)) {
    if (++streams > MOST_STREAMS) throw new DocumentError('it has too many parts')
    const start = index + keyword.length
    if (end < start) end = placeAfter(text, 'endstream', start)
    const before = text.slice(Math.max(0, index - MOST_DICTIONARY), index)
    const object = before.lastIndexOf('obj')
    const dictionary = before.slice(Math.max(0, object))
    if (/\/Subtype\s*\/Image\b/.test(dictionary)) {
      bounded.fill(0, Math.max(start, emptied), end)
      emptied = end
      continue
    }
    if ((dictionary.match(PACKING)?.length ?? 0) > 1) throw new DocumentError('it is packed twice')
    // Of what is zlib's (RFC 1950) the end stands in itself; what the keyword says may be wrong.
    if (((bytes[start] ?? 0) & 15) === 8)
      unpacked += inflatedLength(bytes.subarray(start + ZLIB_BYTES), MOST_BYTES - unpacked)
    else if (object < 0 || dictionary.includes('/F')) hidden += end - start
    if (unpacked > MOST_BYTES || hidden > MOST_HIDDEN_BYTES) throw new DocumentError('it unpacks to too much')
  }
  return bounded
}

function placeAfter(text: string, word: string, from: number): number {
  const at = text.indexOf(word, from)
  return at < 0 ? text.length : at
}
