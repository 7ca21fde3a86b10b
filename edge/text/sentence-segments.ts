/**
 * Where sentences begin and end in a paragraph: Unicode's rules (UAX 29, through Intl.Segmenter), but that a sentence goes
 * on after an abbreviation.
 */

/** What is followed by more of the sentence although it ends in a full stop. */
const ABBREVIATION =
  /(?:^|[\s([“"'])(?:\p{Lu}|[A-Z]\.[A-Z]|e\.g|i\.e|cf|vs|etc|approx|ca|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|pp?|ed|eds|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$/u
/** The longest of them, with what is before it. */
const ABBREVIATION_LENGTH = 10

/** By language; making one takes a while. */
const segmenters = new Map<string, Intl.Segmenter>()
const MOST_SEGMENTERS = 32

/**
 * Start and end of each, in UTF-16 code units; together they are the whole paragraph.
 * @param language BCP 47
 * @throws RangeError for a language that is none
 */
export function sentenceSegments(paragraph: string, language: string): [number, number][] {
  const segmenter = segmenters.get(language) ?? new Intl.Segmenter(language, { granularity: 'sentence' })
  if (segmenters.size >= MOST_SEGMENTERS) segmenters.clear()
  segmenters.set(language, segmenter)
  const spans: [number, number][] = []
  let open = false
  for (const { index, segment } of segmenter.segment(paragraph)) {
    const last = spans.at(-1)
    const end = index + segment.length
    if (open && last) last[1] = end
    else spans.push([index, end])
    open = ABBREVIATION.test(segment.trimEnd().slice(-ABBREVIATION_LENGTH))
  }
  return spans
}
