/**
 * Texts to their translations: what is too long for the model is cut where a sentence pauses, texts of about one length are
 * translated together.
 */
import { END, type TranslationTokenizer } from '#models/tokenizer/translation-tokenizer.ts'
import { PLACEHOLDERS } from '#protocol/translation.ts'
import type { Sentence, Translator } from './translator.ts'

export interface TextTranslation {
  readonly text: string
  /** Other translations, the best first. */
  readonly alternatives: readonly string[]
  /** Tokens of `text`. */
  readonly tokens: number
  /** Tokens of what was translated. */
  readonly read: number
}

export interface TextOptions {
  readonly beam: number
  readonly alternatives: number
  /** Looked at between steps: false ends it at once. */
  readonly isWanted: () => boolean
}

/** Hypotheses of a batch: more are no quicker for each, and what is not wanted any more is looked at between steps. */
const MOST_HYPOTHESES = 128
/** Tokens of a batch's sentences, filled up. */
const MOST_TOKENS = 2048

/** As the vocabulary writes it. */
const SPACE = '\u2581'

/** A part of a text that the model can read. */
interface Piece extends Sentence {
  readonly text: number
}

export class TextTranslator implements Disposable {
  readonly #translator: Translator
  readonly #tokenizer: TranslationTokenizer
  readonly #longest: number

  /** @param sourceLength tokens that a sentence may have, the one at the end included */
  constructor(translator: Translator, tokenizer: TranslationTokenizer, sourceLength: number) {
    this.#translator = translator
    this.#tokenizer = tokenizer
    this.#longest = sourceLength - 1
  }

  /** @returns in the order of the texts; undefined if they are not wanted any more */
  translate(texts: readonly string[], options: TextOptions): TextTranslation[] | undefined {
    const batches = this.inBatches(texts, options)
    for (;;) {
      const { done, value } = batches.next()
      if (done) return value
    }
  }

  /** The same, with a pause after each batch. */
  *inBatches(texts: readonly string[], options: TextOptions): Generator<undefined, TextTranslation[] | undefined> {
    const { beam, alternatives, isWanted } = options
    const pieces = texts.flatMap((text, i) =>
      cutTokens(this.#tokenizer.encode(text), this.#longest, this.#tokenizer.nameOf).map((tokens): Piece => {
        const required = new Set(tokens.filter(isPlaceholder))
        const apart = aroundWords(tokens, this.#tokenizer.nameOf)
        return { text: i, tokens: [...tokens, END], required, apart }
      }),
    )
    const found = new Map<Piece, readonly (readonly number[])[]>()
    const blank = this.#tokenizer.blank
    const decoding = { beam, wanted: 1 + alternatives, blank, isReserved: isPlaceholder, isWanted }
    for (const batch of batchesOf(pieces, beam)) {
      const translations = this.#translator.translate(batch, decoding)
      if (!translations) return undefined
      for (const [i, piece] of batch.entries()) {
        found.set(
          piece,
          (translations[i] ?? []).map(({ tokens }) => withAll(tokens, piece.required)),
        )
      }
      yield
    }
    const byText = Map.groupBy(pieces, ({ text }) => text)
    return texts.map((_, i) => this.#together(byText.get(i) ?? [], found, alternatives))
  }

  #together(
    pieces: readonly Piece[],
    found: ReadonlyMap<Piece, readonly (readonly number[])[]>,
    alternatives: number,
  ): TextTranslation {
    const ranked = (rank: number) => pieces.map((piece) => found.get(piece)?.[rank] ?? found.get(piece)?.[0] ?? [])
    const written = (rank: number) =>
      ranked(rank)
        .map((tokens) => this.#tokenizer.decode(tokens))
        .join(' ')
    const text = written(0)
    const all = Array.from({ length: alternatives + 2 }, (_, rank) => written(rank))
    const others = [...new Set(all)].filter((other) => other !== text).slice(0, alternatives)
    return {
      text,
      alternatives: others,
      tokens: ranked(0).reduce((sum, tokens) => sum + tokens.length, 0),
      read: pieces.reduce((sum, { tokens }) => sum + tokens.length - 1, 0),
    }
  }

  [Symbol.dispose](): void {
    this.#translator[Symbol.dispose]()
  }
}

/** What a placeholder stands for is not lost: one that has no place comes last. */
const withAll = (tokens: readonly number[], required: ReadonlySet<number>): readonly number[] => [
  ...tokens,
  ...[...required].filter((token) => !tokens.includes(token)),
]

/**
 * Placeholders that words stand between, with no space beside them, as between an opening and a closing tag: the latter by
 * the former.
 */
export function aroundWords(tokens: readonly number[], nameOf: (token: number) => string): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>()
  const places = tokens.flatMap((token, i) => (isPlaceholder(token) ? [i] : []))
  for (const [k, to] of places.entries()) {
    const from = k > 0 ? places[k - 1] : undefined
    if (from === undefined || to - from < 2) continue
    const [first, last] = [nameOf(tokens[from + 1] ?? END), nameOf(tokens[to - 1] ?? END)]
    if (!first.startsWith(SPACE) && last !== SPACE) pairs.set(tokens[to] ?? END, tokens[from] ?? END)
  }
  return pairs
}

/** Tokens in parts of at most so many, cut behind the last sign of a pause that there is, or else between words. */
export function cutTokens(
  tokens: readonly number[],
  longest: number,
  nameOf: (token: number) => string,
): readonly (readonly number[])[] {
  const parts: (readonly number[])[] = []
  let rest = tokens
  while (rest.length > longest) {
    const words = rest.slice(0, longest).map(nameOf)
    const pause = words.findLastIndex((word, i) => /^\u2581?[.,;:!?)]+$/u.test(word) && i >= longest / 4)
    const space = rest.slice(0, longest + 1).findLastIndex((token, i) => nameOf(token).startsWith('\u2581') && i > 0)
    const at = pause >= 0 ? pause + 1 : space > 0 ? space : longest
    parts.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return [...parts, rest]
}

/** They come after the token that ends a sentence. */
const isPlaceholder = (token: number): boolean => token > END && token <= PLACEHOLDERS

/** By length, the longest first, so that what takes the most memory comes first. */
function batchesOf(pieces: readonly Piece[], beam: number): readonly (readonly Piece[])[] {
  const batches: Piece[][] = []
  for (const piece of pieces.toSorted((a, b) => b.tokens.length - a.tokens.length)) {
    const batch = batches.at(-1)
    const longest = batch?.[0]?.tokens.length ?? 0
    const most = Math.min(
      Math.max(1, Math.floor(MOST_HYPOTHESES / beam)),
      Math.max(1, Math.floor(MOST_TOKENS / longest)),
    )
    if (batch && batch.length < most) batch.push(piece)
    else batches.push([piece])
  }
  return batches
}
