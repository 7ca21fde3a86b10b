/**
 * `llama`: SentencePiece's BPE (Kudo and Richardson 2018, https://arxiv.org/abs/1808.06226) as llama.cpp reads it. Of all
 * neighbours that make a token together, those of the best score are merged, the leftmost of equals first; a character
 * that is in no token becomes its bytes, for which there are tokens. A space is U+2581 in the vocabulary.
 */
import { type GgufMetadata, metadataNumbers } from '../importers/gguf-metadata.ts'
import { mergeParts } from './merge.ts'
import { type TextModel, TokenType, type Vocabulary } from './text-model.ts'
import { TokenizerError } from './tokenizer-error.ts'

const SPACE = '\u2581'
const BYTE = /^<0x([0-9A-F]{2})>$/
const SPACE_PREFIX_KEY = 'tokenizer.ggml.add_space_prefix'
const DEFAULT_IDS = { 'tokenizer.ggml.bos_token_id': 1, 'tokenizer.ggml.eos_token_id': 2 }

/** Throws TokenizerError for scores that are not one to a token, and for a byte that is written as no byte. */
export function sentencePiece(metadata: GgufMetadata, vocabulary: Vocabulary): TextModel {
  const { tokens, types } = vocabulary
  const ranks = ranksOf(metadataNumbers(metadata, 'tokenizer.ggml.scores'), tokens.length)
  const bytes = byteTokens(vocabulary)
  const idOfByte = new Map([...bytes].map(([id, byte]) => [byte, id]))
  const unknown = types.indexOf(TokenType.unknown)
  const idOfText = new Map<string, number>()
  let longest = 1
  for (const [id, token] of tokens.entries()) {
    // What is written as a control token or a byte is text like any other.
    if (types[id] !== TokenType.normal && types[id] !== TokenType.userDefined) continue
    idOfText.set(token, id)
    longest = Math.max(longest, token.length)
  }
  const prefix = metadata.get(SPACE_PREFIX_KEY) === false ? '' : SPACE
  const encoder = new TextEncoder()

  function encodeBytes(character: string, out: number[]): void {
    for (const byte of encoder.encode(character)) {
      const id = idOfByte.get(byte) ?? unknown
      if (id >= 0) out.push(id)
    }
  }
  return {
    addBos: true,
    defaultIds: DEFAULT_IDS,
    addsSpace: prefix !== '',
    encode(text, out) {
      if (text === '') return
      const written = prefix + text.toWellFormed().replaceAll(' ', SPACE)
      const offsets = characterOffsets(written)
      const idOf = (from: number, to: number): number | undefined => {
        const [start, end] = [offsets[from] as number, offsets[to] as number]
        return end - start > longest ? undefined : idOfText.get(written.slice(start, end))
      }
      const count = offsets.length - 1
      const starts = mergeParts(count, {
        rank: (left, _, end) => {
          const id = idOf(left, end)
          return id === undefined ? undefined : ranks[id]
        },
      })
      for (const [i, start] of starts.entries()) {
        const end = starts[i + 1] ?? count
        const id = idOf(start, end)
        if (id === undefined) encodeBytes(written.slice(offsets[start], offsets[end]), out)
        else out.push(id)
      }
    },
    bytes(id) {
      const byte = bytes.get(id)
      return byte === undefined ? encoder.encode(tokens[id]?.replaceAll(SPACE, ' ')) : Uint8Array.of(byte)
    },
  }
}

/** Scores as whole numbers by token, 0 for the best; the same for the same score. */
function ranksOf(scores: readonly number[], count: number): Int32Array {
  if (scores.length !== count || scores.some(Number.isNaN)) {
    throw new TokenizerError(
      'invalid_vocabulary',
      `${count} tokens have ${scores.length} scores, or one that is no number`,
    )
  }
  const bestFirst = [...new Set(scores)].sort((a, b) => b - a)
  const rankOf = new Map(bestFirst.map((score, rank) => [score, rank]))
  return Int32Array.from(scores, (score) => rankOf.get(score) as number)
}

/** The byte of each token that stands for one. */
function byteTokens({ tokens, types }: Vocabulary): Map<number, number> {
  const bytes = new Map<number, number>()
  for (const [id, token] of tokens.entries()) {
    if (types[id] !== TokenType.byte) continue
    const hex = BYTE.exec(token)?.[1]
    if (hex === undefined) throw new TokenizerError('invalid_vocabulary', `token ${id} (${token}) is no byte`)
    bytes.set(id, Number.parseInt(hex, 16))
  }
  return bytes
}

/** Where each character begins, and where the last one ends. */
function characterOffsets(text: string): number[] {
  const offsets = [0]
  for (const character of text) offsets.push((offsets.at(-1) as number) + character.length)
  return offsets
}
