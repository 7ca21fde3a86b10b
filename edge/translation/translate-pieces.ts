/** Translates texts that have been taken apart: their sentences in batches, each once, and puts all together again in order. */
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
}

export interface Translated {
  readonly text: string
  readonly alternatives: readonly string[]
}

/** Sentences that a model is asked for at once. */
const BATCH = 64

export async function translatePieces(
  texts: readonly (readonly Piece[])[],
  ask: AskModel,
  { encode, preserveFormatting, alternatives }: TranslateOptions,
): Promise<Translated[]> {
  const format = (source: string, translation: string) =>
    preserveFormatting ? keepFormat(source, translation) : translation
  const translations = await askOnce(texts.flat().filter(isSentence), ask)
  const taken = texts.map((pieces) => pieces.map((piece) => (isSentence(piece) ? read(piece) : piece)))

  /** As the model has it, or the sentence's words by themselves. */
  function read({ parts }: Sentence): { texts: string[] } | { around: Piece[] } {
    const { text, alternatives: others } = of(translations, toModel(parts))
    const best = fromModel(text, parts, encode)
    if (best === undefined) return { around: aroundKept(parts, encode) }
    const source = sourceOf(parts, encode)
    const rest = others.flatMap((other) => fromModel(other, parts, encode) ?? [])
    return { texts: [best, ...rest].map((one) => format(source, one)) }
  }

  const left = taken.flat().flatMap((piece) => (typeof piece === 'object' && 'around' in piece ? piece.around : []))
  const words = await askOnce(left.filter(isSentence), ask)
  const joined = ({ around }: { around: Piece[] }) =>
    around.map((piece) => (isSentence(piece) ? wordsOf(words, piece, encode) : piece)).join('')
  const variant = (pieces: (typeof taken)[number], nth: number) =>
    pieces
      .map((piece) => {
        if (typeof piece === 'string') return piece
        return 'around' in piece ? joined(piece) : (piece.texts[nth] ?? piece.texts[0])
      })
      .join('')
  return taken.map((pieces) => {
    const text = variant(pieces, 0)
    const others = Array.from({ length: alternatives }, (_, i) => variant(pieces, i + 1))
    return { text, alternatives: [...new Set(others)].filter((other) => other !== text) }
  })
}

const isSentence = (piece: Piece): piece is Sentence => typeof piece === 'object'

const sourceOf = (parts: readonly Part[], encode: Encode): string =>
  parts.map((part) => (typeof part === 'string' ? encode(part) : part.text)).join('')

/** By the text that the model was given. */
async function askOnce(sentences: readonly Sentence[], ask: AskModel): Promise<ReadonlyMap<string, Translation>> {
  const texts = [...new Set(sentences.map(({ parts }) => toModel(parts)))]
  const translations = new Map<string, Translation>()
  for (let at = 0; at < texts.length; at += BATCH) {
    const batch = texts.slice(at, at + BATCH)
    const replies = await ask(batch)
    if (replies.length !== batch.length) {
      throw new ApiError('runner_failed', `The runner translated ${replies.length} texts, not ${batch.length}.`)
    }
    for (const [i, reply] of replies.entries()) translations.set(batch[i] ?? '', reply)
  }
  return translations
}

function of(translations: ReadonlyMap<string, Translation>, text: string): Translation {
  const translation = translations.get(text)
  if (!translation) throw new TypeError('every sentence was asked for')
  return translation
}

const wordsOf = (translations: ReadonlyMap<string, Translation>, { parts }: Sentence, encode: Encode): string =>
  wordsFromModel(of(translations, toModel(parts)).text, encode)
