/**
 * A text's sentences and where they stand. Unicode's rules (UAX 29, through Intl.Segmenter) end a sentence at every line and
 * after many an abbreviation; here a line that is only wrapped goes on, as does a sentence after an abbreviation.
 */

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
/** What is followed by more of the sentence although it ends in a full stop. */
const ABBREVIATION =
  /(?:^|[\s([“"'])(?:\p{Lu}|[A-Z]\.[A-Z]|e\.g|i\.e|cf|vs|etc|approx|ca|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|pp?|ed|eds|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$/u

/** @throws RangeError for a language that is none */
export function sentencesOf(text: string, language: string): Sentence[] {
  const segmenter = new Intl.Segmenter(language, { granularity: 'sentence' })
  return paragraphsOf(text).flatMap(([from, to]) => {
    const unwrapped = text.slice(from, to).replace(LINE_END, (end) => ' '.repeat(end.length))
    return merged(unwrapped, segmenter).flatMap(([start, end]) => {
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

/** Segments, those after an abbreviation with the one before. */
function merged(paragraph: string, segmenter: Intl.Segmenter): [number, number][] {
  const spans: [number, number][] = []
  let open = false
  for (const { index, segment } of segmenter.segment(paragraph)) {
    const last = spans.at(-1)
    const end = index + segment.length
    if (open && last) last[1] = end
    else spans.push([index, end])
    open = ABBREVIATION.test(segment.trimEnd())
  }
  return spans
}

function trimmed(text: string, start: number, end: number): Sentence | undefined {
  const piece = text.slice(start, end)
  const words = piece.trim()
  if (words === '') return undefined
  const from = start + piece.length - piece.trimStart().length
  return { start: from, end: from + words.length, text: words.replace(/\s+/g, ' ') }
}
