/** A published model that translates, from its files. */
import * as v from 'valibot'
import { type TranslationTokenizer, translationTokenizer } from '#models/tokenizer/translation-tokenizer.ts'
import type { TranslationParts } from '#protocol/published-model.ts'
import { PLACEHOLDERS, placeholder } from '#protocol/translation.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { TextTranslator } from './text-translator.ts'
import { Translator } from './translator.ts'

/** The bytes of those that the manifest names. */
export interface TranslationFiles {
  readonly vocabulary: Uint8Array
  readonly encoder: Uint8Array
  readonly decoder: Uint8Array
}

const vocabularySchema = v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256))), v.maxLength(1 << 17))

/** A vocabulary's file. @throws if it is not one */
export const piecesOf = (vocabulary: Uint8Array): readonly string[] =>
  v.parse(vocabularySchema, JSON.parse(new TextDecoder().decode(vocabulary)))

export const tokenizerOf = (pieces: readonly string[]): TranslationTokenizer =>
  translationTokenizer(
    pieces,
    Array.from({ length: PLACEHOLDERS }, (_, i) => placeholder(i)),
  )

/** @throws if a file is not what the manifest says */
export function loadTranslator(
  ort: Runtime,
  { width, heads, decoderLayers, sourceLength, targetLength }: TranslationParts,
  { vocabulary, encoder, decoder }: TranslationFiles,
): TextTranslator {
  const shape = { width, heads, decoderLayers, positions: targetLength }
  return new TextTranslator(
    new Translator(ort, encoder, decoder, shape),
    tokenizerOf(piecesOf(vocabulary)),
    sourceLength,
  )
}
