/** What somebody reads of a page of HTML: a line for each block. */
import { decodeHTML } from 'entities/decode'
import { isPhrasing } from '../translation/markup-pieces.ts'
import { tokensOf } from '../translation/markup-tokens.ts'

/** Nobody sees what is in them, or it is not prose. */
const UNSEEN = new Set([
  'head',
  'title',
  'script',
  'style',
  'template',
  'noscript',
  'svg',
  'math',
  'iframe',
  'object',
  'select',
  'nav',
])

export function textOfHtml(html: string): string {
  const lines: string[] = []
  let line = ''
  /** Of elements that are not seen, open within each other. */
  const unseen: string[] = []
  const end = () => {
    if (line.trim() !== '') lines.push(line.replaceAll(/\s+/gu, ' ').trim())
    line = ''
  }
  for (const { kind, raw, name } of tokensOf(html, 'html')) {
    if (kind === 'open' && UNSEEN.has(name)) unseen.push(name)
    else if (kind === 'close' && unseen.at(-1) === name) unseen.pop()
    else if (unseen.length === 0 && kind === 'text') line += decodeHTML(raw)
    else if (kind !== 'text' && kind !== 'other' && !isPhrasing(name)) end()
  }
  end()
  return lines.join('\n\n')
}
