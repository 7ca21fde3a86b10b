/** XLIFF 1.2 and 2: the translation of each source is put into its target, which is made if it is not there. */
import { encodeXml, markupPieces } from '../translation/markup-pieces.ts'
import { MarkupError, type Token, tokensOf } from '../translation/markup-tokens.ts'
import { DocumentError, decodeText, encodeText, MARKUP, type OpenDocument } from './open-document.ts'

/** Native codes are in them. */
const CODES = new Set(['bpt', 'ept', 'ph', 'it', 'x', 'bx', 'ex'])

interface Unit {
  /** Between the tags of its source. */
  readonly source: string
  /** Tokens: after the source, or those of the target that is there. */
  readonly from: number
  readonly to: number
}

/** @throws DocumentError if it is no XLIFF */
export function openXliff(bytes: Uint8Array): OpenDocument {
  const tokens = read(decodeText(bytes))
  const units = unitsOf(tokens)
  return {
    segments: units.map(({ source }) => ({
      text: source.replaceAll(/<[^<>]*>/g, ''),
      pieces: (options) =>
        markupPieces(source, { ...options, ...MARKUP, markup: 'xml', split: 'punctuation', ignoreTags: CODES }),
    })),
    encode: encodeXml,
    write(translations, target) {
      const raw = tokens.map((token) => withTarget(token, target))
      for (const [i, { from, to }] of units.entries()) {
        raw.fill('', from, to)
        raw[from - 1] += `<target>${translations[i] ?? ''}</target>`
      }
      return encodeText(raw.join(''))
    },
  }
}

function read(text: string): Token[] {
  try {
    const tokens = tokensOf(text, 'xml')
    if (tokens.some(({ kind, name }) => kind === 'open' && name === 'xliff')) return tokens
  } catch (error) {
    if (!(error instanceof MarkupError)) throw error
    throw new DocumentError(`it is not well-formed: ${error.message}`)
  }
  throw new DocumentError('it has no element xliff')
}

function unitsOf(tokens: readonly Token[]): Unit[] {
  const units: Unit[] = []
  let isKept = false
  for (let i = 0; i < tokens.length; i++) {
    const { kind, name, attributes } = tokens[i] ?? {
      kind: 'other',
      name: '',
      attributes: {} as Record<string, string>,
    }
    if (kind === 'open' && (name === 'trans-unit' || name === 'unit')) isKept = attributes.translate === 'no'
    if (kind !== 'open' || name !== 'source' || isKept) continue
    const close = tokens.findIndex((token, at) => at > i && token.kind === 'close' && token.name === 'source')
    units.push({ source: raws(tokens, i + 1, close), ...targetAfter(tokens, close + 1) })
    i = close
  }
  return units
}

const raws = (tokens: readonly Token[], from: number, to: number): string =>
  tokens
    .slice(from, to)
    .map(({ raw }) => raw)
    .join('')

/** Where the target is that follows, white space and notes before it left alone; nowhere, right at `from`, if there is none. */
function targetAfter(tokens: readonly Token[], from: number): { from: number; to: number } {
  let at = from
  while (tokens[at]?.kind === 'text' && tokens[at]?.raw.trim() === '') at++
  const token = tokens[at]
  if (token?.name !== 'target' || token.kind === 'close') return { from, to: from }
  if (token.kind === 'empty') return { from: at, to: at + 1 }
  let end = at
  while (end < tokens.length && !(tokens[end]?.kind === 'close' && tokens[end]?.name === 'target')) end++
  return { from: at, to: end + 1 }
}

/** The element that names the language has the target's. */
function withTarget({ kind, name, raw, attributes }: Token, target: string): string {
  if (kind !== 'open') return raw
  const attribute =
    name === 'file' && 'source-language' in attributes
      ? 'target-language'
      : name === 'xliff' && 'srcLang' in attributes
        ? 'trgLang'
        : undefined
  if (attribute === undefined) return raw
  if (attribute in attributes)
    return raw.replace(new RegExp(`(\\s${attribute}\\s*=\\s*)(?:"[^"]*"|'[^']*')`), `$1"${target}"`)
  return raw.replace(/\s*>$/, ` ${attribute}="${target}">`)
}
