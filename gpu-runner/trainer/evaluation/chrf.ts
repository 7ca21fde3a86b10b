/**
 * chrF++ of a corpus (Popović 2017, https://aclanthology.org/W17-4770) as sacrebleu computes it: character 6-grams
 * without spaces, word 2-grams, recall counts twice as much as precision, one reference.
 */
import { type Counts, matches, ngrams, total } from './ngrams.ts'

const CHARACTERS = 6
const WORDS = 2
const BETA_SQUARED = 4
const PUNCTUATION = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')

/** @returns 0 to 100 */
export function chrf(hypotheses: readonly string[], references: readonly string[]): number {
  const stats = Array.from({ length: CHARACTERS + WORDS }, () => ({ found: 0, wanted: 0, match: 0 }))
  for (const [i, hypothesis] of hypotheses.entries()) {
    const wanted = countsOf(references[i] ?? '')
    for (const [order, counts] of countsOf(hypothesis).entries()) {
      const [stat, reference] = [stats[order], wanted[order]]
      if (!stat || !reference) continue
      // What no reference could match does not count.
      stat.found += reference.size > 0 ? total(counts) : 0
      stat.wanted += total(reference)
      stat.match += matches(counts, reference)
    }
  }
  const counted = stats.filter(({ found, wanted }) => found > 0 && wanted > 0)
  if (counted.length === 0) return 0
  const mean = (of: 'found' | 'wanted') =>
    counted.reduce((sum, stat) => sum + stat.match / stat[of], 0) / counted.length
  const [precision, recall] = [mean('found'), mean('wanted')]
  if (precision + recall === 0) return 0
  return (100 * (1 + BETA_SQUARED) * precision * recall) / (BETA_SQUARED * precision + recall)
}

/** By order: of characters, then of words. */
function countsOf(text: string): readonly Counts[] {
  const characters = [...text.replace(/\s+/gu, '')]
  const words = text
    .split(/\s+/u)
    .filter((word) => word !== '')
    .flatMap(parted)
  return [
    ...Array.from({ length: CHARACTERS }, (_, i) => ngrams(characters, i + 1, '')),
    ...Array.from({ length: WORDS }, (_, i) => ngrams(words, i + 1, ' ')),
  ]
}

/** A sign at the end of a word, or else at its beginning, is a word of its own. */
function parted(word: string): string[] {
  const characters = [...word]
  const [first = '', last = ''] = [characters[0], characters.at(-1)]
  if (characters.length === 1) return [word]
  if (PUNCTUATION.has(last)) return [characters.slice(0, -1).join(''), last]
  if (PUNCTUATION.has(first)) return [first, characters.slice(1).join('')]
  return [word]
}
