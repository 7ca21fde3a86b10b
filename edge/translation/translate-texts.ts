/** Translates whole texts, each from its own language: finds out which that is, takes them apart, asks the model of the pair. */
import { LIMITS } from '#protocol/limits.ts'
import { type Detected, detectAmong } from './detect-language.ts'
import { TermFinder, type Terms } from './glossary-terms.ts'
import { encodeOf, type MarkupOptions, markupPieces } from './markup-pieces.ts'
import { type Pair, sourcesInto } from './pairs.ts'
import { type Encode, type Part, type Piece, plain } from './pieces.ts'
import { plainPieces } from './plain-pieces.ts'
import type { Split } from './sentence-pieces.ts'
import {
  type AskModel,
  isSentence,
  type Translated,
  type TranslatedPiece,
  type TranslateOptions,
  translatePieces,
} from './translate-pieces.ts'

export interface TextsRequest {
  readonly texts: readonly string[]
  /** ISO 639-1; null: each text's own is found out. */
  readonly source: string | null
  readonly target: string
  readonly split: Split
  /** Null: running text. */
  readonly markup: Pick<
    MarkupOptions,
    'markup' | 'ignoreTags' | 'splittingTags' | 'nonSplittingTags' | 'outlineDetection'
  > | null
  readonly preserveFormatting: boolean
  readonly alternatives: number
  readonly terms: Terms
}

export interface TranslatedText extends Translated {
  readonly detected: Detected
}

/** A piece of a text's translation, and how far all texts are. */
export interface Progress extends Omit<TranslatedPiece, 'sentences'> {
  /** Sentences, and how many there are. */
  readonly done: number
  readonly total: number
}

/** There is no model for it. */
export class NoSuchPair extends Error {
  override readonly name = 'NoSuchPair'
  readonly source: string

  constructor(source: string) {
    super(`nothing translates from '${source}'`)
    this.source = source
  }
}

/** As DeepL counts them: code points of the source. */
export const charactersOf = (text: string): number => [...text].length

/** A sentence is cut where it has more UTF-16 code units than this for each token that the model takes. */
const UNITS_PER_TOKEN = 2
const LONGEST_SENTENCE = 1000

/**
 * Yields the pieces of each text in their order. A text that is in the target's language already is as it was.
 * @param ask the model of a pair
 * @returns the translations, in order
 * @throws ApiError; NoSuchPair, MarkupError before anything is translated
 */
export async function* translateTexts(
  request: TextsRequest,
  pairs: readonly Pair[],
  ask: (pair: Pair) => AskModel,
  batchSize?: TranslateOptions['batchSize'],
): AsyncGenerator<Progress, TranslatedText[]> {
  const { texts, source, target } = request
  const languages = [...sourcesInto(pairs, target), target]
  const found = texts.map((text) =>
    source === null ? detectAmong(text, languages) : { language: source, confidence: 1 },
  )
  const translated: TranslatedText[] = texts.map((text, i) => ({ text, alternatives: [], detected: at(found, i) }))
  const byLanguage = Map.groupBy(texts.keys(), (i) => at(found, i).language)
  const works = [...byLanguage].flatMap(([language, places]) => {
    if (language === target) return []
    const pair = pairs.find((one) => one.source === language && one.target === target)
    if (!pair) throw new NoSuchPair(language)
    return { pair, places, pieces: places.map((i) => piecesOf(at(texts, i), pair, request)) }
  })
  const total = works.reduce((sum, { pieces }) => sum + pieces.flat().filter(isSentence).length, 0)
  let done = 0
  for (const { pair, places, pieces } of works) {
    const encode = request.markup ? encodeOf(request.markup.markup) : plain
    const work = translatePieces(pieces, ask(pair), { ...request, encode, ...(batchSize && { batchSize }) })
    for (;;) {
      const step = await work.next()
      if (step.done) {
        for (const [n, result] of step.value.entries()) {
          const place = at(places, n)
          translated[place] = { ...result, detected: at(found, place) }
        }
        break
      }
      const { index, sentences, ...piece } = step.value
      done += sentences
      yield { ...piece, index: at(places, index), done, total }
    }
  }
  // Last, so that what a runner refuses is known before anything has been said.
  for (const index of byLanguage.get(target) ?? []) {
    const text = at(texts, index)
    yield { index, text, characters: charactersOf(text), done, total }
  }
  return translated
}

/** UTF-16 code units of a sentence. @param contextLength of the model, in tokens */
export const longestFor = (contextLength: number): number =>
  Math.min(LIMITS.translatedTextLength, LONGEST_SENTENCE, contextLength * UNITS_PER_TOKEN)

function piecesOf(text: string, { source, contextLength }: Pair, { markup, split, terms }: TextsRequest): Piece[] {
  const finder = new TermFinder(terms)
  const options = {
    language: source,
    split,
    most: longestFor(contextLength),
    keep: (parts: readonly Part[], encode: Encode) => finder.apply(parts, encode),
  }
  return markup ? markupPieces(text, { ...options, ...markup }) : plainPieces(text, options)
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new RangeError(`${index} of ${list.length}`)
  return item
}
