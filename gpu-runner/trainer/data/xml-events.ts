/**
 * Reads XML strictly, as far as data files have it (https://www.w3.org/TR/xml/): elements, attributes, text, comments, CDATA.
 * Entities that a file declares itself are refused, so that none is ever unfolded.
 */
import { DataSetError, shown } from './data-set-error.ts'

export type XmlEvent =
  | { readonly kind: 'open'; readonly name: string; readonly attributes: Readonly<Record<string, string>> }
  | { readonly kind: 'close'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }

/** Elements within each other. */
const MOST_DEPTH = 100
const NAME = String.raw`[\p{L}_:][\p{L}\p{N}_:.\-]*`
const VALUE = `"[^"<]*"|'[^'<]*'`
const TEXT = /[^<]+/y
const OPEN = new RegExp(String.raw`<(${NAME})((?:\s+${NAME}\s*=\s*(?:${VALUE}))*)\s*(\/?)>`, 'uy')
const CLOSE = new RegExp(String.raw`<\/(${NAME})\s*>`, 'uy')
const ATTRIBUTE = new RegExp(String.raw`(${NAME})\s*=\s*(${VALUE})`, 'gu')
/** Without declarations of its own. */
const DOCTYPE = /<!DOCTYPE\s[^[\]<>]*>/y
const ASIDES = [
  ['<!--', '-->'],
  ['<?', '?>'],
] as const
const CDATA = ['<![CDATA[', ']]>'] as const
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const REFERENCE = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));|&/gi

/** @throws DataSetError that names the line, where it is not well-formed */
export function* xmlEvents(xml: string): Generator<XmlEvent> {
  const open: string[] = []
  let [at, hasRoot] = [0, false]
  const wrong = (what: string): DataSetError => {
    const line = lineAt(xml, at)
    return new DataSetError('unreadable', `Line ${line} is not well-formed XML: ${what}.`, { line })
  }
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(xml)
  }
  const until = (end: string): number => {
    const found = xml.indexOf(end, at)
    if (found < 0) throw wrong(`there is no ${end} to end what begins here`)
    return found
  }
  const decoded = (text: string): string =>
    text.replace(REFERENCE, (whole: string, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined && name in ENTITIES) return ENTITIES[name] ?? ''
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
      if (!(code > 0 && code <= 0x10ffff)) throw wrong(`${shown(whole)} is no reference to a character`)
      return String.fromCodePoint(code)
    })
  while (at < xml.length) {
    const text = match(TEXT)?.[0]
    if (text !== undefined) {
      if (open.length > 0) yield { kind: 'text', text: decoded(text) }
      else if (text.trim() !== '') throw wrong('there is text outside of the root element')
      at += text.length
      continue
    }
    const aside = ASIDES.find(([begin]) => xml.startsWith(begin, at))
    if (aside) {
      at = until(aside[1]) + aside[1].length
      continue
    }
    if (xml.startsWith(CDATA[0], at) && open.length > 0) {
      const end = until(CDATA[1])
      yield { kind: 'text', text: xml.slice(at + CDATA[0].length, end) }
      at = end + CDATA[1].length
      continue
    }
    if (xml.startsWith('<!DOCTYPE', at) && !hasRoot) {
      const declared = match(DOCTYPE)
      if (!declared) throw wrong('a document type that declares entities or elements of its own is not read')
      at += declared[0].length
      continue
    }
    const close = match(CLOSE)
    if (close) {
      const expected = open.pop()
      if (close[1] !== expected) throw wrong(`</${close[1]}> ends no <${expected ?? close[1]}>`)
      yield { kind: 'close', name: close[1] ?? '' }
      at += close[0].length
      continue
    }
    const [whole, name = '', written = '', empty] = match(OPEN) ?? []
    if (whole === undefined) throw wrong(`${shown(xml.slice(at, at + 40).split('\n')[0] ?? '')} is no tag`)
    if (open.length === 0 && hasRoot) throw wrong('there is a second root element')
    if (open.length >= MOST_DEPTH) throw wrong(`elements are more than ${MOST_DEPTH} deep`)
    const attributes: Record<string, string> = {}
    for (const [, key = '', value = ''] of written.matchAll(ATTRIBUTE)) {
      if (Object.hasOwn(attributes, key)) throw wrong(`the attribute ${shown(key)} is there twice`)
      attributes[key] = decoded(value.slice(1, -1))
    }
    hasRoot = true
    yield { kind: 'open', name, attributes }
    if (empty === '/') yield { kind: 'close', name }
    else open.push(name)
    at += whole.length
  }
  const left = open.at(-1)
  if (left !== undefined) throw wrong(`<${left}> is not closed`)
  if (!hasRoot) throw wrong('there is no element')
}

/** From 1. */
function lineAt(text: string, at: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line++
  return line
}
