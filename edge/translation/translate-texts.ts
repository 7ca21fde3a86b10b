/** Translates whole texts, each from its own language: finds out which that is, takes them apart, asks the model of the pair. */
import { LIMITS } from '#protocol/limits.ts'
import { type Detected, detectAmong } from './detect-language.ts'
import { TermFinder, type Terms } from './glossary-terms.ts'
import { encodeOf, type MarkupOptions, markupPieces } from './markup-pieces.ts'
import { type Pair, sourcesInto } from './pairs.ts'
import { type Encode, type Part, type Piece, plain } from './pieces.ts'
import { plainPieces } from './plain-pieces.ts'
import type { Split } from './sentence-pieces.ts'
import { type AskModel, type Translated, translatePieces } from './translate-pieces.ts'

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

/** There is no model for it. */
export class NoSuchPair extends Error {
  override readonly name = 'NoSuchPair'
  readonly source: string

  constructor(source: string) {
    super(`nothing translates from '${source}'`)
    this.source = source
  }
}

/** A sentence is cut where it has more UTF-16 code units than this for each token that the model takes. */
const UNITS_PER_TOKEN = 2
const LONGEST_SENTENCE = 1000

/**
 * In order. A text that is in the target's language already is as it was.
 * @param ask the model of a pair
 * @throws NoSuchPair, MarkupError
 */
export async function translateTexts(
  request: TextsRequest,
  pairs: readonly Pair[],
  ask: (pair: Pair) => AskModel,
): Promise<TranslatedText[]> {
  const { texts, source, target } = request
  const languages = [...sourcesInto(pairs, target), target]
  const found = texts.map((text) =>
    source === null ? detectAmong(text, languages) : { language: source, confidence: 1 },
  )
  const translated: TranslatedText[] = texts.map((text, i) => ({ text, alternatives: [], detected: at(found, i) }))
  for (const [language, places] of Map.groupBy(texts.keys(), (i) => at(found, i).language)) {
    if (language === target) continue
    const pair = pairs.find((one) => one.source === language && one.target === target)
    if (!pair) throw new NoSuchPair(language)
    const pieces = places.map((i) => piecesOf(at(texts, i), pair, request))
    const options = { ...request, encode: request.markup ? encodeOf(request.markup.markup) : plain }
    for (const [n, result] of (await translatePieces(pieces, ask(pair), options)).entries()) {
      const place = at(places, n)
      translated[place] = { ...result, detected: at(found, place) }
    }
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
