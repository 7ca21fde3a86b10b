/**
 * An answer as a list of blocks that is cheap to bring up to date while the answer grows.
 *
 * Only the open tail is lexed again; blocks before it keep their identity, so that nothing about them is rendered
 * again. A block is closed once another has begun after it that cannot turn out to belong to it. When the answer has
 * ended, `finish` lexes it whole once, which lets a link defined at the end reach its uses.
 */
import type { Token } from 'marked'
import remend from 'remend'
import { languageOf, markdown } from './render.ts'

export type Block =
  | { readonly kind: 'code'; readonly raw: string; readonly language: string; readonly code: string }
  | { readonly kind: 'html'; readonly raw: string; readonly html: string }

/** What may still become the next item of a list: `2`, `2.`, `-`, or nothing yet. */
const MAYBE_ITEM = /^\s*(?:[-*+]|\d{1,9}[.)]?)?\s*$/
const BLANK_LINE_AT_END = /\n[ \t]*\n$/
/** Beyond this, a tail is shown as it stands: mending it each frame would cost more than a star that flickers. */
const MAX_MENDED_LENGTH = 20_000

export class BlockCache {
  #text = ''
  #closed: Block[] = []
  #closedLength = 0
  #tail: readonly Block[] = []

  /** Takes the answer as it is now, usually longer than before. */
  update(text: string): readonly Block[] {
    if (text === this.#text) return [...this.#closed, ...this.#tail]
    if (!text.startsWith(this.#text)) this.#reset()
    this.#text = text

    const tokens = markdown.lexer(text.slice(this.#closedLength))
    const open = openFrom(tokens)
    for (const token of tokens.slice(0, open)) {
      this.#closedLength += token.raw.length
      if (token.type !== 'space') this.#closed.push(blockOf(token))
    }
    this.#tail = mended(tokens.slice(open))
    return [...this.#closed, ...this.#tail]
  }

  /** Takes the whole answer; blocks whose source is as it was keep their identity. */
  finish(text: string): readonly Block[] {
    const before = [...this.#closed, ...this.#tail]
    const after = blocksOf(markdown.lexer(text))
    this.#reset()
    return after.map((block, index) => {
      const old = before[index]
      return old && same(old, block) ? old : block
    })
  }

  #reset(): void {
    this.#text = ''
    this.#closed = []
    this.#closedLength = 0
    this.#tail = []
  }
}

/** Index of the first token that later text may still change. */
function openFrom(tokens: readonly Token[]): number {
  const blocks = tokens.flatMap((token, index) => (token.type === 'space' ? [] : [index]))
  let open = blocks.length - 1
  // Without a blank line between them, what begins a block now may yet go on with the one before.
  while (open > 0 && !tokens.slice(blocks[open - 1], blocks[open]).some(({ raw }) => BLANK_LINE_AT_END.test(raw)))
    open--
  const [before, first] = [tokens[blocks[open - 1] ?? -1], tokens[blocks[open] ?? -1]]
  if (before?.type === 'list' && MAYBE_ITEM.test(first?.raw ?? '')) open--
  return blocks[open] ?? 0
}

/** The blocks of a tail, with its unfinished syntax closed for the eye. */
function mended(tokens: readonly Token[]): readonly Block[] {
  const raw = tokens.map((token) => token.raw).join('')
  const isCode = tokens.length === 1 && tokens[0]?.type === 'code'
  if (isCode || raw.length > MAX_MENDED_LENGTH) return blocksOf(tokens)
  return blocksOf(markdown.lexer(remend(raw, { linkMode: 'text-only', katex: false })))
}

function blocksOf(tokens: readonly Token[]): readonly Block[] {
  return tokens.filter((token) => token.type !== 'space' && token.type !== 'def').map(blockOf)
}

function blockOf(token: Token): Block {
  if (token.type === 'code') {
    return { kind: 'code', raw: token.raw, language: languageOf(token.lang), code: token.text }
  }
  return { kind: 'html', raw: token.raw, html: markdown.parser([token]) }
}

function same(a: Block, b: Block): boolean {
  if (a.kind === 'code') return b.kind === 'code' && a.code === b.code && a.language === b.language
  return b.kind === 'html' && a.html === b.html
}
