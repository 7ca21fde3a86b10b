/**
 * The tokenizer that a GGUF file describes: byte-level BPE, or SentencePiece's. Control tokens come out of text only where
 * they are asked for, so that what a user writes never becomes one.
 */
import {
  type GgufMetadata,
  metadataNumber,
  metadataNumbers,
  metadataString,
  metadataStrings,
} from '../importers/gguf-metadata.ts'
import { byteLevelBpe } from './byte-level-bpe.ts'
import { sentencePiece } from './sentence-piece.ts'
import { type TextModel, TokenType, type Vocabulary } from './text-model.ts'
import { TokenizerError } from './tokenizer-error.ts'

export interface Tokenizer {
  readonly vocabularySize: number
  /** Tokens that end an answer. */
  readonly eosIds: readonly number[]
  /** The token that begins a text, if there is one, and whether a prompt is to begin with it. */
  readonly bosId: number | undefined
  readonly addBos: boolean
  /** The length of the longest token, in bytes. */
  readonly maxTokenBytes: number
  /** Control tokens as they stand in a chat template. */
  readonly controlTokens: ReadonlyMap<string, number>
  /** Text as tokens; what looks like a control token is text too, unless `special` says otherwise. */
  encode(text: string, options?: { readonly special?: boolean }): number[]
  /** Text cut at control tokens, which are given as their numbers. */
  partition(text: string): readonly (string | number)[]
  /** The bytes of a token; none for a control token. Throws RangeError if there is no such token. */
  decodeBytes(token: number): Uint8Array
  /** Whether texts were given a space to begin with, which `decode` takes away again. */
  readonly addsSpace: boolean
  /** The text of tokens, as it was before it became tokens. */
  decode(tokens: readonly number[]): string
  /** A token as the vocabulary writes it: what a control token is called. */
  nameOf(token: number): string
}

/** By `tokenizer.ggml.model`. */
const MODELS: ReadonlyMap<string, (metadata: GgufMetadata, vocabulary: Vocabulary) => TextModel> = new Map([
  ['gpt2', byteLevelBpe],
  ['llama', sentencePiece],
])

/** Names under which the metadata keeps tokens that end an answer, and control tokens that end one by their own name. */
const END_KEYS = ['eos', 'eot', 'eom'].map((name) => `tokenizer.ggml.${name}_token_id`)
const END_NAMES = [
  ...['endoftext', 'end_of_text', 'im_end', 'eot_id', 'eom_id', 'end', 'return', 'EOT'].map((name) => `<|${name}|>`),
  '<end_of_turn>',
]

/** Throws TokenizerError for a kind of tokenizer that is not known here, GgufError for metadata that is amiss. */
export function createTokenizer(metadata: GgufMetadata): Tokenizer {
  const kind = metadataString(metadata, 'tokenizer.ggml.model')
  const create = MODELS.get(kind)
  if (!create) {
    const known = [...MODELS.keys()].join(', ')
    throw new TokenizerError('unknown_tokenizer', `the tokenizer ${kind} is not known here (known: ${known})`)
  }
  const tokens = metadataStrings(metadata, 'tokenizer.ggml.tokens')
  const types = metadataNumbers(metadata, 'tokenizer.ggml.token_type')
  if (types.length !== tokens.length) {
    throw new TokenizerError('invalid_vocabulary', `${tokens.length} tokens have ${types.length} types`)
  }
  const model = create(metadata, { tokens, types })
  const controlTokens = tokensOfType(TokenType.control)
  const userDefined = tokensOfType(TokenType.userDefined)
  const atControl = cutter(controlTokens)
  const atUserDefined = cutter(userDefined)

  function tokensOfType(type: number): Map<string, number> {
    return new Map(tokens.flatMap((token, id) => (types[id] === type && token !== '' ? [[token, id] as const] : [])))
  }
  function tokenId(key: string): number | undefined {
    const id = metadata.has(key) ? metadataNumber(metadata, key) : model.defaultIds[key]
    if (id === undefined) return undefined
    if (tokens[id] === undefined) throw new TokenizerError('invalid_vocabulary', `${key} is ${id}, which is no token`)
    return id
  }
  function encodeText(text: string, out: number[]): void {
    for (const part of atUserDefined(text)) {
      if (typeof part === 'number') out.push(part)
      else model.encode(part, out)
    }
  }
  function decodeBytes(id: number): Uint8Array {
    const token = tokens[id]
    if (token === undefined) throw new RangeError(`there is no token ${id}`)
    const type = types[id]
    if (type === TokenType.unknown || type === TokenType.control || type === TokenType.unused) return new Uint8Array()
    return type === TokenType.userDefined ? new TextEncoder().encode(token) : model.bytes(id)
  }

  const ends = [...END_KEYS.map(tokenId), ...END_NAMES.map((name) => controlTokens.get(name))]
  const addBosKey = 'tokenizer.ggml.add_bos_token'
  return {
    vocabularySize: tokens.length,
    eosIds: [...new Set(ends.filter((id) => id !== undefined))],
    bosId: tokenId('tokenizer.ggml.bos_token_id'),
    addBos: metadata.has(addBosKey) ? metadata.get(addBosKey) === true : model.addBos,
    maxTokenBytes: tokens.reduce((longest, _, id) => Math.max(longest, decodeBytes(id).length), 1),
    controlTokens,
    partition: atControl,
    encode(text, { special = false } = {}) {
      const out: number[] = []
      for (const part of special ? atControl(text) : [text]) {
        if (typeof part === 'number') out.push(part)
        else encodeText(part, out)
      }
      return out
    },
    decodeBytes,
    addsSpace: model.addsSpace,
    decode(ids) {
      const parts = ids.map(decodeBytes)
      const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
      let at = 0
      for (const part of parts) {
        bytes.set(part, at)
        at += part.length
      }
      const text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes)
      return model.addsSpace && text.startsWith(' ') ? text.slice(1) : text
    },
    nameOf: (token) => tokens[token] ?? '',
  }
}

/** Cuts text at the given tokens, of those that begin at one place at the longest. */
function cutter(ids: ReadonlyMap<string, number>): (text: string) => readonly (string | number)[] {
  if (ids.size === 0) return (text) => [text]
  const longestFirst = [...ids.keys()].sort((a, b) => b.length - a.length)
  const any = new RegExp(`(${longestFirst.map((token) => RegExp.escape(token)).join('|')})`)
  // Split at a group, the odd parts are what matched.
  return (text) =>
    text
      .split(any)
      .map((part, i) => (i % 2 === 1 ? (ids.get(part) as number) : part))
      .filter((part) => part !== '')
}
