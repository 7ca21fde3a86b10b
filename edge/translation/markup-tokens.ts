/** Cuts mark-up into its tags, texts and all else; together they are the whole of it, character by character. */
import { Parser } from 'htmlparser2'

export type Markup = 'xml' | 'html'

export interface Token {
  /** `other`: a comment, a CDATA section, a declaration, an instruction, the inside of a script. */
  readonly kind: 'open' | 'close' | 'empty' | 'text' | 'other'
  /** As it stands. */
  readonly raw: string
  /** Of a tag; in HTML in small letters. */
  readonly name: string
  /** Of an opening or empty tag. */
  readonly attributes: Readonly<Record<string, string>>
}

/** It is not well-formed. */
export class MarkupError extends Error {
  override readonly name = 'MarkupError'
}

interface Found extends Omit<Token, 'raw'> {
  readonly start: number
  /** If the parser tells; else it goes on to the next. */
  readonly end?: number
}

/** Elements whose content HTML takes as bare text. */
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext'])
const NO_PROSE = new Set([...RAW_TEXT].filter((name) => name !== 'title' && name !== 'textarea'))

/** @throws MarkupError for XML that is not well-formed; HTML always has a meaning */
export function tokensOf(source: string, markup: Markup): Token[] {
  const found = find(source, markup)
  const tokens: Token[] = []
  let at = 0
  const other = (to: number) => {
    if (to <= at) return
    if (markup === 'xml') throw new MarkupError(`unexpected ${JSON.stringify(source.slice(at, at + 20))}`)
    tokens.push({ kind: 'other', name: '', attributes: {}, raw: source.slice(at, to) })
    at = to
  }
  for (const [i, { start, end, ...token }] of found.entries()) {
    other(Math.min(start, source.length))
    const to = Math.max(at, end ?? found[i + 1]?.start ?? source.length)
    if (to > at) tokens.push({ ...token, raw: source.slice(at, to) })
    at = to
  }
  other(source.length)
  if (markup === 'xml') requireWellFormed(tokens)
  return tokens
}

function find(source: string, markup: Markup): Found[] {
  const found: Found[] = []
  let inCdata = false
  let rawText = ''
  const add = (kind: Token['kind'], name = '', attributes: Token['attributes'] = {}, end?: number) => {
    const { startIndex: start } = parser
    found.push({ kind, name, attributes, start, ...(end === undefined ? {} : { end }) })
  }
  const parser = new Parser(
    {
      onopentag(name, attributes, isImplied) {
        if (isImplied) return
        add('open', name, attributes, parser.endIndex + 1)
        rawText = markup === 'html' && NO_PROSE.has(name) ? name : ''
      },
      onclosetag(name, isImplied) {
        rawText = ''
        const last = found.at(-1)
        // The end of an empty element is told at its tag.
        if (isImplied && last?.kind === 'open' && last.start === parser.startIndex)
          found.splice(-1, 1, { ...last, kind: 'empty' })
        else if (!isImplied) add('close', name, {}, parser.endIndex + 1)
        else if (markup === 'xml') throw new MarkupError(`<${name}> is not closed`)
      },
      ontext() {
        if (!inCdata) add(rawText === '' ? 'text' : 'other', '', {}, parser.endIndex + 1)
      },
      oncomment: () => add('other', '', {}, parser.endIndex + 1),
      oncdatastart() {
        inCdata = true
        add('other', '', {}, parser.endIndex + 1)
      },
      oncdataend() {
        inCdata = false
      },
      onprocessinginstruction() {
        // The parser tells neither end quite right.
        const start = source.indexOf('<', parser.startIndex)
        const close = source.indexOf('>', start)
        found.push({ kind: 'other', name: '', attributes: {}, start, end: close < 0 ? source.length : close + 1 })
      },
    },
    { xmlMode: markup === 'xml', decodeEntities: false, lowerCaseTags: markup === 'html' },
  )
  parser.write(source)
  parser.end()
  return found
}

const NAME = String.raw`[\p{L}_:][\p{L}\p{M}\p{N}_:.\-·]*`
const START_TAG = new RegExp(String.raw`^<${NAME}(?:\s+${NAME}\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/?>$`, 'u')
const END_TAG = new RegExp(String.raw`^</${NAME}\s*>$`, 'u')

/** What the parser lets pass and XML does not (XML 1.0, sections 2.4 and 3.1). Several roots, or none, are well. */
function requireWellFormed(tokens: readonly Token[]): void {
  const open: string[] = []
  for (const { kind, raw, name } of tokens) {
    const isWell =
      (kind === 'other' && /^<(?:!--.*--|!\[CDATA\[.*\]\]|[!?].*)>$/s.test(raw)) ||
      (kind === 'text' && !raw.includes('<') && !/&(?!#\d+;|#x[\da-fA-F]+;|[\p{L}_:][\p{L}\p{N}_:.-]*;)/u.test(raw)) ||
      ((kind === 'open' || kind === 'empty') && START_TAG.test(raw)) ||
      (kind === 'close' && END_TAG.test(raw))
    if (!isWell) throw new MarkupError(`unexpected ${JSON.stringify(raw.slice(0, 40))}`)
    if (kind === 'open') open.push(name)
    else if (kind === 'close' && open.pop() !== name) throw new MarkupError(`</${name}> closes nothing`)
  }
  if (open.length > 0) throw new MarkupError(`<${open.at(-1)}> is not closed`)
}
