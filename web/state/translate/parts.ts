/**
 * A text in parts that are translated by themselves: what was translated once need not be again when something is typed after
 * it, and a long text shows how far it is. Parts end at line ends, and within a very long line at the ends of sentences.
 */

/** UTF-16 code units: a part ends at the first line end after so many … */
const LEAST = 300
/** … and where a sentence does, in a line of more than this. */
const MOST = 2000

export interface Part {
  /** Without white space around it; empty if there is nothing else. */
  readonly text: string
  readonly before: string
  readonly after: string
}

/** Together, with what is around them, they are the text. */
export function partsOf(text: string): Part[] {
  const parts: string[] = []
  let open = ''
  for (const piece of linesOf(text).flatMap(shortened)) {
    open += piece
    if (open.length < LEAST) continue
    parts.push(open)
    open = ''
  }
  if (open !== '') parts.push(open)
  return parts.map(apart)
}

/** With their ends. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

function shortened(line: string): string[] {
  if (line.length <= MOST) return [line]
  const pieces: string[] = []
  let open = ''
  for (const sentence of sentencesIn(line)) {
    if (open !== '' && open.length + sentence.length > MOST) {
      pieces.push(open)
      open = ''
    }
    open += sentence
  }
  return [...pieces, open]
}

function apart(text: string): Part {
  const words = text.trim()
  const from = text.indexOf(words)
  return { text: words, before: text.slice(0, from), after: text.slice(from + words.length) }
}

/** With the white space after each. */
function sentencesIn(line: string, language?: string): string[] {
  const segmenter = new Intl.Segmenter(language, { granularity: 'sentence' })
  return Array.from(segmenter.segment(line), ({ segment }) => segment)
}

/** A sentence and its translation, or a whole line and its where their sentences do not match. */
export interface Pair {
  readonly source: string
  readonly translation: string
  /** White space. */
  readonly before: string
  readonly after: string
}

/** Which sentence of a translation is of which: together, the pairs' translations are the whole. */
export function pairsOf(
  source: string,
  translation: string,
  languages: { readonly source: string; readonly target: string },
): Pair[] {
  const from = linesOf(source)
  const to = linesOf(translation)
  if (from.length !== to.length) return [pairOf(source, translation)]
  return to.flatMap((line, i) => {
    const original = from[i] ?? ''
    const sentences = sentencesIn(original, languages.source)
    const translated = sentencesIn(line, languages.target)
    if (sentences.length !== translated.length) return [pairOf(original, line)]
    return translated.map((sentence, n) => pairOf(sentences[n] ?? '', sentence))
  })
}

function pairOf(source: string, translation: string): Pair {
  const { text, before, after } = apart(translation)
  return { source: source.trim(), translation: text, before, after }
}
