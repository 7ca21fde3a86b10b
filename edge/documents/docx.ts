/**
 * Word documents (Office Open XML, ECMA-376 part 1): the text of each paragraph, in which a change of format is a placeholder.
 * All else in the archive stays as it is.
 */
import { strToU8, zipSync } from 'fflate'
import { ZipError } from '#protocol/zip-directory.ts'
import { encodeXml } from '../translation/markup-pieces.ts'
import { MarkupError, type Token, tokensOf } from '../translation/markup-tokens.ts'
import type { Kept, Part } from '../translation/pieces.ts'
import { keptApart } from '../translation/kept-spans.ts'
import { sentencePieces } from '../translation/sentence-pieces.ts'
import { decodeXML } from 'entities/decode'
import { DocumentError, decodeText, type OpenDocument, type Segment, type SegmentOptions } from './open-document.ts'
import { unpackZip } from './unpack-zip.ts'

const DOCUMENT = 'word/document.xml'
const TEXTS = /^word\/(?:document|(?:header|footer)\d*|footnotes|endnotes|comments)\.xml$/

/** A paragraph's words, and what is between them. */
type Paragraph = (string | Kept)[]

/** @throws DocumentError if it is none, or unpacks to too much */
export function openDocx(bytes: Uint8Array): OpenDocument {
  const files = unpack(bytes)
  if (!files[DOCUMENT]) throw new DocumentError('it has no word/document.xml')
  const texts = Object.keys(files).filter((name) => TEXTS.test(name))
  const parsed = texts.map((name) => ({ name, parts: read(files[name] ?? new Uint8Array()) }))
  const paragraphs = parsed.flatMap(({ parts }) => parts.filter((part) => typeof part === 'object'))
  return {
    segments: paragraphs.map(toSegment),
    encode: encodeXml,
    write(translations) {
      let at = 0
      const written = parsed.map(({ name, parts }) => {
        const text = parts.map((part) => (typeof part === 'string' ? part : (translations[at++] ?? ''))).join('')
        return [name, strToU8(text)] as const
      })
      return zipSync({ ...files, ...Object.fromEntries(written) })
    },
  }
}

/** What stands in the document itself, a line for each paragraph. @throws DocumentError as `openDocx` */
export function textOfDocx(bytes: Uint8Array): string {
  const document = unpack(bytes)[DOCUMENT]
  if (!document) throw new DocumentError('it has no word/document.xml')
  const paragraphs = read(document).filter((part) => typeof part === 'object')
  // Between words of a paragraph there may be the end of a line, or a tab.
  const word = (part: string | Kept) =>
    typeof part === 'string' ? part : /<w:(?:br|cr|tab)\b/.test(part.text) ? ' ' : ''
  return paragraphs.map((paragraph) => paragraph.map(word).join('')).join('\n\n')
}

function unpack(bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unpackZip(bytes)
  } catch (error) {
    if (error instanceof ZipError) throw new DocumentError(error.message, { cause: error })
    throw error
  }
}

/** A file's XML, and the paragraphs in it. */
function read(bytes: Uint8Array): (string | Paragraph)[] {
  let tokens: Token[]
  try {
    tokens = tokensOf(decodeText(bytes), 'xml')
  } catch (error) {
    if (!(error instanceof MarkupError)) throw error
    throw new DocumentError(`it is not well-formed: ${error.message}`)
  }
  const parts: (string | Paragraph)[] = []
  let paragraph: Paragraph = []
  let between: Token[] = []
  let inText = false
  const rawOf = (some: readonly Token[]) => some.map(rawWithSpace).join('')
  const flush = () => {
    if (paragraph.length > 0) parts.push(paragraph)
    parts.push(rawOf(between))
    paragraph = []
    between = []
  }
  for (const token of tokens) {
    if (token.name === 'w:t') inText = token.kind === 'open'
    if (token.kind === 'text' && inText) {
      if (paragraph.length > 0) paragraph.push(toKept(between, rawOf(between)))
      else parts.push(rawOf(between))
      paragraph.push(decodeXML(token.raw))
      between = []
      continue
    }
    between.push(token)
    if (token.name === 'w:p') flush()
  }
  flush()
  return parts
}

/** Translations may have spaces where formats change. */
const rawWithSpace = ({ raw, name, kind }: Token): string =>
  name === 'w:t' && kind === 'open' ? '<w:t xml:space="preserve">' : raw

/** Between words: nothing of its own if it closes and opens the same elements, else as the tag that it amounts to. */
function toKept(tokens: readonly Token[], text: string): Kept {
  const closed: string[] = []
  const open: string[] = []
  for (const { kind, name } of tokens) {
    if (kind === 'open') open.push(name)
    else if (kind === 'close' && open.pop() === undefined) closed.unshift(name)
  }
  if (closed.join() === open.join()) return { text, tag: 'empty' }
  return { text, tag: open.length > closed.length ? 'open' : 'close' }
}

function toSegment(paragraph: Paragraph): Segment {
  const pieces = (options: SegmentOptions) => {
    const parts = paragraph.flatMap((part): Part[] => {
      if (typeof part === 'object') return [part]
      const apart = keptApart(part, options.language)
      return options.keep(
        apart.map((one) => (typeof one === 'string' ? one : { text: encodeXml(one.text) })),
        encodeXml,
      )
    })
    return sentencePieces(parts, { ...options, split: 'punctuation', encode: encodeXml })
  }
  return { text: paragraph.filter((part) => typeof part === 'string').join(''), pieces }
}
