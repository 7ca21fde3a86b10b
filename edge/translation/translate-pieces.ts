/** Translates texts that have been taken apart, batch by batch, each sentence once, and puts all together again in order. */
import { ApiError } from '#protocol/error.ts'
import type { TranslateReply } from '#protocol/translation.ts'
import { keepFormat } from './keep-format.ts'
import type { Encode, Part, Piece, Sentence } from './pieces.ts'
import { fromModel, toModel, wordsFromModel } from './placeholders.ts'
import { aroundKept } from './sentence-pieces.ts'

export type Translation = TranslateReply['translations'][number]
/** Asks a model. @throws ApiError */
export type AskModel = (texts: string[]) => Promise<readonly Translation[]>

export interface TranslateOptions {
  readonly encode: Encode
  /** Whether the end and the first letter are as in the text. */
  readonly preserveFormatting: boolean
  /** Other translations that are wanted of each text. */
  readonly alternatives: number
  /** Sentences of the batch after so many; by default as many as a model is asked for at once. */
  readonly batchSize?: (batchesBefore: number) => number
}

export interface Translated {
  readonly text: string
  readonly alternatives: readonly string[]
}

/** A part of a text's translation; those of one text, in their order, are the whole of it. */
export interface TranslatedPiece {
  /** Of the text. */
  readonly index: number
  readonly text: string
  /** How many sentences it has. */
  readonly sentences: number
  /** Of its source, in code points. */
  readonly characters: number
}

/** Sentences that a model is asked for at once. */
const BATCH = 64

/** What stands in a translation: as it is, or each of the translations. */
type Rendered = string | readonly string[]
interface Placed {
  readonly index: number
  readonly piece: Piece
}

/** Yields pieces as they are there. @returns the translations @throws ApiError */
export async function* translatePieces(
  texts: readonly (readonly Piece[])[],
  ask: AskModel,
  { encode, preserveFormatting, alternatives, batchSize = () => BATCH }: TranslateOptions,
): AsyncGenerator<TranslatedPiece, Translated[]> {
  const known = new Map<string, Translation>()
  const rendered: Rendered[][] = texts.map(() => [])
  const format = (source: string, translation: string) =>
    preserveFormatting ? keepFormat(source, translation) : translation

  /** As the model has it, or the sentence's words by themselves. */
  function read(parts: readonly Part[]): Rendered | { around: Piece[] } {
    const { text, alternatives: others } = of(known, toModel(parts))
    const best = fromModel(text, parts, encode)
    if (best === undefined) return { around: aroundKept(parts, encode) }
    const source = sourceOf(parts, encode)
    const rest = others.flatMap((other) => fromModel(other, parts, encode) ?? [])
    return [best, ...rest].map((one) => format(source, one))
  }
  const joined = (around: readonly Piece[]) =>
    around.map((piece) => (isSentence(piece) ? wordsOf(known, piece, encode) : piece)).join('')

  const all = texts.flatMap((pieces, index) => pieces.map((piece): Placed => ({ index, piece })))
  for (let from = 0, batches = 0; from < all.length; batches++) {
    const to = endOfBatch(all, from, batchSize(batches), known)
    const batch = all.slice(from, to)
    await askFor(
      batch.map(({ piece }) => piece),
      ask,
      known,
    )
    const taken = batch.map(({ piece }) => (isSentence(piece) ? read(piece.parts) : piece))
    await askFor(
      taken.flatMap((one) => (isAround(one) ? one.around : [])),
      ask,
      known,
    )
    const done = taken.map((one) => (isAround(one) ? joined(one.around) : one))
    for (const [i, { index }] of batch.entries()) rendered[index]?.push(done[i] ?? '')
    for (const some of Map.groupBy(batch.keys(), (i) => batch[i]?.index ?? 0)) {
      const [index, places] = some
      const pieces = places.map((i) => batch[i]?.piece ?? '')
      yield {
        index,
        text: places.map((i) => variantOf(done[i] ?? '', 0)).join(''),
        sentences: pieces.filter(isSentence).length,
        characters: pieces.reduce((sum, piece) => sum + [...plainOf(piece, encode)].length, 0),
      }
    }
    from = to
  }
  return rendered.map((pieces) => {
    const variant = (nth: number) => pieces.map((piece) => variantOf(piece, nth)).join('')
    const text = variant(0)
    const others = Array.from({ length: alternatives }, (_, i) => variant(i + 1))
    return { text, alternatives: [...new Set(others)].filter((other) => other !== text) }
  })
}

export const isSentence = (piece: Piece): piece is Sentence => typeof piece === 'object'
const isAround = (one: Rendered | { around: Piece[] }): one is { around: Piece[] } =>
  typeof one === 'object' && 'around' in one

const variantOf = (piece: Rendered, nth: number): string =>
  typeof piece === 'string' ? piece : (piece[nth] ?? piece[0] ?? '')

const sourceOf = (parts: readonly Part[], encode: Encode): string =>
  parts.map((part) => (typeof part === 'string' ? encode(part) : part.text)).join('')
const plainOf = (piece: Piece, encode: Encode): string => (isSentence(piece) ? sourceOf(piece.parts, encode) : piece)

/** Where as many sentences end as are to be asked for, and what is before the next. */
function endOfBatch(all: readonly Placed[], from: number, size: number, known: ReadonlyMap<string, unknown>): number {
  const wanted = new Set<string>()
  for (let at = from; at < all.length; at++) {
    const piece = all[at]?.piece ?? ''
    if (!isSentence(piece)) continue
    const text = toModel(piece.parts)
    if (known.has(text) || wanted.has(text)) continue
    if (wanted.size === size) return at
    wanted.add(text)
  }
  return all.length
}

/** Adds what is not known yet, by the text that the model is given. */
async function askFor(pieces: readonly Piece[], ask: AskModel, known: Map<string, Translation>): Promise<void> {
  const texts = new Set(pieces.filter(isSentence).map(({ parts }) => toModel(parts)))
  const missing = [...texts].filter((text) => !known.has(text))
  for (let at = 0; at < missing.length; at += BATCH) {
    const batch = missing.slice(at, at + BATCH)
    const replies = await ask(batch)
    if (replies.length !== batch.length) {
      throw new ApiError('runner_failed', `The runner translated ${replies.length} texts, not ${batch.length}.`)
    }
    for (const [i, reply] of replies.entries()) known.set(batch[i] ?? '', reply)
  }
}

function of(translations: ReadonlyMap<string, Translation>, text: string): Translation {
  const translation = translations.get(text)
  if (!translation) throw new TypeError('every sentence was asked for')
  return translation
}

const wordsOf = (translations: ReadonlyMap<string, Translation>, { parts }: Sentence, encode: Encode): string =>
  wordsFromModel(of(translations, toModel(parts)).text, encode)
