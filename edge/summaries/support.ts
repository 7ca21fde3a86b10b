/**
 * Where in a text a sentence of a summary comes from: the sentences that have its content words, compared by their
 * beginnings, so that a word may be inflected. A sentence that says a word which none of them has is not supported.
 */
import type { Sentence } from './sentences.ts'

/** Sentences of the text that one of the summary may be made of. */
const MOST_SOURCES = 4
/** Letters by which a word is known, without such an ending. */
const STEM = 5
const ENDING = /(?<=\p{L}{3})(?:ing|ed|es|e|ly|(?<!s)s)$/u

/** Words that stand in any text (English, as the models that write summaries here). */
const FUNCTION_WORDS = new Set(
  (
    'a about above after again all also although am an and any are as at be because been before being below between both but by can ' +
    'could did do does doing down during each either else few for from further had has have having he her here hers him his how ' +
    'however i if in including into is it its itself just may me might more most much must my neither no nor not of off on once ' +
    'only or other our out over own same shall she should since so some such than that the their them then there these they this ' +
    'those though through thus to too under until up upon us very was we were what when where whether which while who whom whose ' +
    'why will with within without would yet you your'
  ).split(' '),
)

/** Content words of a sentence, each as it is compared. */
export function contentWords(text: string): Set<string> {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu)
  const stems = new Set<string>()
  for (const [word] of words) {
    const plain = word.replace(/['’]\p{L}+$/u, '')
    if (!FUNCTION_WORDS.has(plain)) stems.add(/^\p{N}/u.test(plain) ? plain : plain.replace(ENDING, '').slice(0, STEM))
  }
  return stems
}

/** The text, ready to be looked through. */
export class Sources {
  readonly #sentences: readonly { readonly sentence: Sentence; readonly words: ReadonlySet<string> }[]

  constructor(sentences: readonly Sentence[]) {
    this.#sentences = sentences.map((sentence) => ({ sentence, words: contentWords(sentence.text) }))
  }

  /** The fewest sentences, in order, that have all of its content words; undefined if no few have. */
  of(text: string): Sentence[] | undefined {
    const missing = contentWords(text)
    if (missing.size === 0) return undefined
    const chosen: Sentence[] = []
    while (missing.size > 0) {
      if (chosen.length === MOST_SOURCES) return undefined
      const best = this.#having(missing)
      if (!best) return undefined
      chosen.push(best.sentence)
      for (const word of best.words) missing.delete(word)
    }
    return chosen.sort((a, b) => a.start - b.start)
  }

  /** Which has most of these words; of equals the first. */
  #having(missing: ReadonlySet<string>) {
    let [best, most] = [this.#sentences[0], 0]
    for (const candidate of this.#sentences) {
      const count = missing.intersection(candidate.words).size
      if (count > most) [best, most] = [candidate, count]
    }
    return most > 0 ? best : undefined
  }
}
