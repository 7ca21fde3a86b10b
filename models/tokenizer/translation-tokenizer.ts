/**
 * The tokens of a model that translates: one that ends a sentence, those of the placeholders, the bytes, and pieces that
 * were learned (bpe-training.ts). Text is encoded as SentencePiece's BPE does it.
 */
import type { GgufValue } from '../importers/gguf.ts'
import { learnPieces } from './bpe-training.ts'
import { TokenType } from './text-model.ts'
import { createTokenizer } from './tokenizer.ts'
import { TokenizerError } from './tokenizer-error.ts'

/** Ends a sentence, and is what the decoder reads before its first token. */
export const END = 0
const BYTES = 256
const SPACE = '\u2581'

export interface TranslationTokenizer {
  readonly size: number
  /** Without the token at the end. Spaces of any kind are one space, and none is kept at either end. */
  encode(text: string): number[]
  decode(tokens: readonly number[]): string
  /** A token as the vocabulary writes it, with U+2581 for a space. */
  nameOf(token: number): string
  /** The token that is a space alone, if there is one. */
  readonly blank: number | undefined
}

/** Text as it is encoded. */
export const plainText = (text: string): string => text.normalize('NFC').replace(/\s+/gu, ' ').trim()

/** @param placeholders texts that are one token each @throws TokenizerError if a piece is there twice */
export function translationTokenizer(pieces: readonly string[], placeholders: readonly string[]): TranslationTokenizer {
  if (new Set(pieces).size < pieces.length) throw new TokenizerError('invalid_vocabulary', 'a piece is there twice')
  const bytes = Array.from({ length: BYTES }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const tokens = ['</s>', ...placeholders, ...bytes, ...pieces]
  const types = [
    TokenType.control,
    ...placeholders.map(() => TokenType.userDefined),
    ...bytes.map(() => TokenType.byte),
    ...pieces.map(() => TokenType.normal),
  ]
  const tokenizer = createTokenizer(
    new Map<string, GgufValue>([
      ['tokenizer.ggml.model', 'llama'],
      ['tokenizer.ggml.tokens', tokens],
      ['tokenizer.ggml.token_type', types],
      ['tokenizer.ggml.scores', tokens.map((_, id) => -id)],
      ['tokenizer.ggml.bos_token_id', END],
      ['tokenizer.ggml.eos_token_id', END],
      // One space before the text, not one before each part between placeholders.
      ['tokenizer.ggml.add_space_prefix', false],
    ]),
  )
  return {
    size: tokens.length,
    encode: (text) => tokenizer.encode(` ${plainText(text)}`),
    decode: (ids) => tokenizer.decode(ids).trim(),
    nameOf: (token) => tokenizer.nameOf(token),
    blank: tokens.includes(SPACE) ? tokens.indexOf(SPACE) : undefined,
  }
}

/** Pieces for a vocabulary of `size` tokens in all. */
export const translationPieces = (texts: Iterable<string>, size: number, placeholders: number): string[] =>
  learnPieces(texts, size - 1 - placeholders - BYTES)
