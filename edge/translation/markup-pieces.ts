/** Takes mark-up apart into sentences: tags that split it, tags within sentences, and elements that come through as they are. */
import { decodeHTML, decodeXML } from 'entities/decode'
import { keptApart } from './kept-spans.ts'
import { type Markup, type Token, tokensOf } from './markup-tokens.ts'
import type { Encode, Kept, Part, Piece } from './pieces.ts'
import { type SentenceOptions, sentencePieces } from './sentence-pieces.ts'

export interface MarkupOptions extends Omit<SentenceOptions, 'encode'> {
  readonly markup: Markup
  /** As DeepL's parameters of these names. */
  readonly ignoreTags: ReadonlySet<string>
  readonly splittingTags: ReadonlySet<string>
  readonly nonSplittingTags: ReadonlySet<string>
  /** XML: whether the structure tells which tags split. */
  readonly outlineDetection: boolean
  /** What else is kept of running text: a glossary's terms. */
  readonly keep: (parts: readonly Part[], encode: Encode) => Part[]
}

/** Phrasing content (HTML, section 3.2.5.2.5): it stands within sentences. */
const PHRASING = new Set(
  'a abbr acronym b bdi bdo big cite code data del dfn em embed font i img input ins kbd label mark math meter noscript object output picture progress q rp rt ruby s samp script small span strike strong sub sup svg time tt u var wbr'.split(
    ' ',
  ),
)
/** Whether an element of HTML stands within a sentence. */
export const isPhrasing = (name: string): boolean => PHRASING.has(name)
/** What is in them is no prose. */
const NOT_PROSE = [
  'script',
  'style',
  'code',
  'pre',
  'kbd',
  'samp',
  'var',
  'math',
  'svg',
  'template',
  'object',
  'iframe',
]

export const encodeXml: Encode = (words) =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
export const encodeHtml: Encode = (words) => encodeXml(words).replaceAll('\u00a0', '&nbsp;')
export const encodeOf = (markup: Markup): Encode => (markup === 'xml' ? encodeXml : encodeHtml)

/** @throws MarkupError for XML that is not well-formed */
export function markupPieces(source: string, options: MarkupOptions): Piece[] {
  const tokens = tokensOf(source, options.markup)
  const splits = splitter(tokens, options)
  const ends = endsOf(tokens)
  const pieces: Piece[] = []
  let run: Part[] = []
  const encode = encodeOf(options.markup)
  const flush = () => {
    if (run.length > 0) pieces.push(...sentencePieces(run, { ...options, encode }))
    run = []
  }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (!token) break
    if (token.kind === 'text') run.push(...textParts(token.raw, options, encode))
    else if (token.kind === 'other') run.push({ text: token.raw, tag: 'empty' })
    else if (isIgnored(token, options)) {
      const end = ends.get(i) ?? i
      const raw = tokens.slice(i, end + 1).map((inner) => inner.raw)
      if (splits(i)) {
        flush()
        pieces.push(raw.join(''))
      } else run.push({ text: raw.join('') })
      i = end
    } else if (splits(i)) {
      flush()
      pieces.push(token.raw)
    } else run.push({ text: token.raw, tag: token.kind })
  }
  flush()
  return pieces
}

/** Of each opening tag the one that closes it, among those of its name; none for what HTML never closes. By their indices. */
function endsOf(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const ends = new Map<number, number>()
  const open = new Map<string, number[]>()
  for (const [i, { kind, name }] of tokens.entries()) {
    const starts = open.get(name) ?? []
    open.set(name, starts)
    if (kind === 'open') starts.push(i)
    else if (kind === 'close') {
      const start = starts.pop()
      if (start !== undefined) ends.set(start, i)
    }
  }
  return ends
}

function isIgnored({ name, attributes }: Token, { markup, ignoreTags }: MarkupOptions): boolean {
  if (ignoreTags.has(name)) return true
  if (markup === 'xml') return false
  const classes = (attributes.class ?? '').split(/\s+/)
  return NOT_PROSE.includes(name) || attributes.translate === 'no' || classes.includes('notranslate')
}

/** Tells of each tag, by its index, whether a sentence ends there. */
function splitter(tokens: readonly Token[], options: MarkupOptions): (index: number) => boolean {
  const { markup, splittingTags, nonSplittingTags, outlineDetection } = options
  const structural = markup === 'xml' && outlineDetection ? structure(tokens) : new Set<number>()
  return (index) => {
    const name = tokens[index]?.name ?? ''
    if (nonSplittingTags.has(name)) return false
    if (splittingTags.has(name)) return true
    return markup === 'html' ? !isPhrasing(name) : structural.has(index)
  }
}

/** Tags of elements beside which there is no text: they are the document's structure. */
function structure(tokens: readonly Token[]): Set<number> {
  interface Element {
    hasText: boolean
    readonly tags: number[]
  }
  const structural = new Set<number>()
  const open: Element[] = [{ hasText: false, tags: [] }]
  const close = () => {
    const { hasText, tags } = open.pop() ?? { hasText: true, tags: [] }
    if (!hasText) for (const tag of tags) structural.add(tag)
  }
  for (const [i, { kind, raw }] of tokens.entries()) {
    const parent = open.at(-1)
    if (!parent) break
    if (kind === 'text' && raw.trim() !== '') parent.hasText = true
    else if (kind === 'open') {
      parent.tags.push(i)
      open.push({ hasText: false, tags: [] })
    } else if (kind === 'close') {
      close()
      open.at(-1)?.tags.push(i)
    } else if (kind === 'empty') parent.tags.push(i)
  }
  while (open.length > 0) close()
  return structural
}

const REFERENCE = /&(?:#\d+|#[xX][\da-fA-F]+|[a-zA-Z]\w*);/g

/** Words are decoded; a reference that says nothing here is kept. */
function textParts(raw: string, { markup, language, keep }: MarkupOptions, encode: Encode): Part[] {
  const decode = markup === 'xml' ? decodeXML : decodeHTML
  const parts: Part[] = []
  let words = ''
  let from = 0
  const flush = () => {
    const apart = keptApart(words, language).map((part) => (typeof part === 'string' ? part : encoded(part, encode)))
    parts.push(...keep(apart, encode))
    words = ''
  }
  for (const { index, 0: reference } of raw.matchAll(REFERENCE)) {
    words += raw.slice(from, index)
    from = index + reference.length
    const decoded = decode(reference)
    if (decoded !== reference) words += decoded
    else {
      flush()
      parts.push({ text: reference })
    }
  }
  words += raw.slice(from)
  flush()
  return parts
}

const encoded = ({ text }: Kept, encode: Encode): Kept => ({ text: encode(text) })
