/**
 * A text's sentences and where they stand. Unicode's rules (UAX 29, through Intl.Segmenter) end a sentence at every line and
 * after many an abbreviation; here a line that is only wrapped goes on, as does a sentence after an abbreviation.
 */
import { sentenceSegments } from '../text/sentence-segments.ts'

/** UTF-16 code units. */
export interface Sentence {
  readonly start: number
  readonly end: number
  /** With single spaces. */
  readonly text: string
}

/** Between paragraphs: a blank line, or a line that begins a list's item or a heading. */
const PARAGRAPH = /\n[ \t]*\n\s*|\n(?=[ \t]*(?:[-*•#]|\d{1,3}[.)])[ \t])/g
const LINE_END = /\r?\n/g

/** @throws RangeError for a language that is none */
export function sentencesOf(text: string, language: string): Sentence[] {
  return paragraphsOf(text).flatMap(([from, to]) => {
    const unwrapped = text.slice(from, to).replace(LINE_END, (end) => ' '.repeat(end.length))
    return sentenceSegments(unwrapped, language).flatMap(([start, end]) => {
      const sentence = trimmed(text, from + start, from + end)
      return sentence ? [sentence] : []
    })
  })
}

function paragraphsOf(text: string): (readonly [number, number])[] {
  const paragraphs: (readonly [number, number])[] = []
  let from = 0
  for (const { index, 0: between } of text.matchAll(PARAGRAPH)) {
    paragraphs.push([from, index])
    from = index + between.length
  }
  return [...paragraphs, [from, text.length]]
}

function trimmed(text: string, start: number, end: number): Sentence | undefined {
  const piece = text.slice(start, end)
  const words = piece.trim()
  if (words === '') return undefined
  const from = start + piece.length - piece.trimStart().length
  return { start: from, end: from + words.length, text: words.replace(/\s+/g, ' ') }
}
