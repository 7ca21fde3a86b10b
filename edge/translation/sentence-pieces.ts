/** Splits a run of text, in which tags and placeholders stand, into sentences that a model can take, and what is between them. */
import { PLACEHOLDERS } from '#protocol/translation.ts'
import { sentenceSegments } from '../text/sentence-segments.ts'
import { type Encode, hasLetter, type Kept, type Part, type Piece } from './pieces.ts'

/** As DeepL's `split_sentences`: at line ends and full stops, at full stops alone, nowhere. */
export type Split = 'lines' | 'punctuation' | 'none'

export interface SentenceOptions {
  /** ISO 639-1. */
  readonly language: string
  readonly split: Split
  /** UTF-16 code units that a sentence may have. */
  readonly most: number
  readonly encode: Encode
}

/** For the splitter, a tag is nothing (a format character, UAX 29 rule SB5), all else that is kept a word. */
const TAG = '\u2060'
const WORD = 'Xx'
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g
/** Where a sentence that is too long is cut: after the last of these that fits, the first kind before the next. */
const CUTS = [/[;:.!?。！？；：]\s*/g, /[,、，)\]»”]\s*/g, /\s+/g]

export function sentencePieces(run: readonly Part[], options: SentenceOptions): Piece[] {
  return segmentsOf(run, options).flatMap((parts) =>
    inLimits(parts, options.most).flatMap((some) => trimmed(some, options.encode)),
  )
}

function segmentsOf(run: readonly Part[], { split, language }: SentenceOptions): Part[][] {
  if (split === 'none') return [[...run]]
  const masked = run.map((part) => (typeof part === 'string' ? part : maskOf(part))).join('')
  const blocks = split === 'lines' ? linesOf(masked) : [[0, masked.length] as const]
  const ends = blocks.flatMap(([from, to]) => {
    const block = masked.slice(from, to)
    const unwrapped = split === 'lines' ? block : block.replace(LINE_END, (end) => ' '.repeat(end.length))
    return sentenceSegments(unwrapped, language).map(([, end]) => from + end)
  })
  return cutAt(run, ends)
}

const maskOf = ({ tag }: Kept): string => (tag === undefined ? WORD : TAG)

/** Each with its end. */
function linesOf(text: string): (readonly [number, number])[] {
  const lines: (readonly [number, number])[] = []
  let from = 0
  for (const { index, 0: end } of text.matchAll(LINE_END)) {
    lines.push([from, index + end.length])
    from = index + end.length
  }
  return from < text.length || lines.length === 0 ? [...lines, [from, text.length]] : lines
}

/** @param ends places in the masked text, ascending */
function cutAt(run: readonly Part[], ends: readonly number[]): Part[][] {
  const sentences: Part[][] = [[]]
  let at = 0
  let next = 0
  const add = (part: Part) => sentences.at(-1)?.push(part)
  const cut = () => {
    // A tag that opens belongs to what it opens.
    const before = sentences.at(-1) ?? []
    let keep = before.length
    while (keep > 0 && isOpening(before[keep - 1])) keep--
    sentences.push(before.splice(keep))
  }
  for (const part of run) {
    const length = typeof part === 'string' ? part.length : maskOf(part).length
    let from = 0
    while (next < ends.length && (ends[next] ?? 0) <= at + length) {
      const to = (ends[next] ?? 0) - at
      if (typeof part === 'string') {
        if (to > from) add(part.slice(from, to))
      } else if (from === 0) add(part)
      from = Math.max(from, to)
      next++
      cut()
    }
    if (typeof part === 'string') {
      if (from < part.length) add(part.slice(from))
    } else if (from === 0) add(part)
    at += length
  }
  return sentences.filter((sentence) => sentence.length > 0)
}

const isOpening = (part: Part | undefined): boolean => typeof part === 'object' && part.tag === 'open'

/** Cut up so that none has too many characters or placeholders. */
function inLimits(parts: readonly Part[], most: number): Part[][] {
  const sentences: Part[][] = [[]]
  let length = 0
  let kept = 0
  const begin = () => {
    sentences.push([])
    length = 0
    kept = 0
  }
  for (const part of parts) {
    if (typeof part === 'object') {
      if (kept === PLACEHOLDERS) begin()
      sentences.at(-1)?.push(part)
      kept++
      continue
    }
    let rest = part
    while (length + rest.length > most) {
      const end = cutBefore(rest, most - length) ?? (length === 0 ? wholeBefore(rest, most) : 0)
      if (end > 0) sentences.at(-1)?.push(rest.slice(0, end))
      rest = rest.slice(end)
      begin()
    }
    if (rest !== '') sentences.at(-1)?.push(rest)
    length += rest.length
  }
  return sentences.filter((sentence) => sentence.length > 0)
}

/** The best place within so many characters; not in the first third, if there is another. */
function cutBefore(text: string, most: number): number | undefined {
  const head = text.slice(0, Math.max(0, most))
  for (const kind of CUTS) {
    let last: number | undefined
    for (const { index, 0: end } of head.matchAll(kind)) last = index + end.length
    if (last !== undefined && last > most / 3) return last
  }
  return undefined
}

/** Not between the halves of a surrogate pair. */
const wholeBefore = (text: string, most: number): number =>
  /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most

/** A sentence without white space, emoji and the pair of tags around it; nothing to translate if it has no letter. */
function trimmed(parts: readonly Part[], encode: Encode): Piece[] {
  const before: string[] = []
  const after: string[] = []
  let inner = [...parts]
  for (;;) {
    const [first] = inner
    const last = inner.at(-1)
    if (typeof first === 'string' && /^\s/.test(first)) {
      const words = first.trimStart()
      before.push(encode(first.slice(0, first.length - words.length)))
      inner = words === '' ? inner.slice(1) : [words, ...inner.slice(1)]
    } else if (typeof last === 'string' && /\s$/.test(last)) {
      const words = last.trimEnd()
      after.unshift(encode(last.slice(words.length)))
      inner = words === '' ? inner.slice(0, -1) : [...inner.slice(0, -1), words]
    } else if (isPairAround(inner)) {
      before.push((first as Kept).text)
      after.unshift((last as Kept).text)
      inner = inner.slice(1, -1)
    } else if (typeof first === 'object' && first.tag === 'empty') {
      before.push(first.text)
      inner = inner.slice(1)
    } else if (typeof last === 'object' && last.tag === 'empty') {
      after.unshift(last.text)
      inner = inner.slice(0, -1)
    } else if (isEmoji(first)) {
      before.push(first.text)
      inner = inner.slice(1)
    } else if (isEmoji(last)) {
      after.unshift(last.text)
      inner = inner.slice(0, -1)
    } else if (isEmoji(inner.at(-2)) && typeof last === 'string' && !/[\p{L}\p{N}]/u.test(last)) {
      // The mark after it that ends the sentence stays there.
      after.unshift(encode(last))
      inner = inner.slice(0, -1)
    } else break
  }
  const isWords = inner.some((part) => typeof part === 'string' && hasLetter(part))
  const pieces = [before.join(''), ...(isWords ? [{ parts: inner }] : inner.map((part) => verbatim(part, encode)))]
  return [...pieces, after.join('')].filter((piece) => piece !== '')
}

const verbatim = (part: Part, encode: Encode): string => (typeof part === 'string' ? encode(part) : part.text)

const isEmoji = (part: Part | undefined): part is Kept => typeof part === 'object' && /^\p{RGI_Emoji}$/v.test(part.text)

/** Whether the first part opens a tag that the last one closes. */
function isPairAround(parts: readonly Part[]): boolean {
  if (parts.length < 2 || !isOpening(parts[0])) return false
  let depth = 0
  for (const [i, part] of parts.entries()) {
    if (typeof part === 'string') continue
    if (part.tag === 'open') depth++
    else if (part.tag === 'close') depth--
    if (depth === 0) return i === parts.length - 1
  }
  return false
}

/** Of a sentence whose placeholders did not come back: its words by themselves, what is kept where it stood. */
export function aroundKept(parts: readonly Part[], encode: Encode): Piece[] {
  return parts.flatMap((part) => (typeof part === 'string' ? trimmed([part], encode) : [part.text]))
}
