/**
 * The tokenizer that a GGUF file describes: byte-level BPE by @huggingface/tokenizers. Control tokens are known here
 * only: text is split at them where they are wanted, so that what a user writes never becomes one.
 */
import { Tokenizer as Bpe } from '@huggingface/tokenizers'
import { type GgufMetadata, metadataNumber, metadataNumbers, metadataString, metadataStrings } from '../importers/gguf-metadata.ts'
import { tokenBytes } from './byte-level.ts'

/** A tokenizer or chat template that cannot be used. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError'
}

export interface Tokenizer {
  readonly vocabularySize: number
  /** Tokens that end an answer. */
  readonly eosIds: readonly number[]
  /** The length of the longest token, in bytes. */
  readonly maxTokenBytes: number
  /** Control tokens as they stand in a chat template. */
  readonly controlTokens: ReadonlyMap<string, number>
  /** Text as tokens; what looks like a control token is text too. */
  encode(text: string): number[]
  /** The bytes of a token; none for a control token. Throws RangeError if there is no such token. */
  decodeBytes(token: number): Uint8Array
}

/** Splits before BPE, by the name that GGUF gives them. */
const PRE_TOKENIZERS: Readonly<Record<string, object>> = {
  /** Digits one by one, then GPT-2's expression. */
  smollm: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ],
  },
}
/** `tokenizer.ggml.token_type` of a control token. */
const CONTROL = 3
/** Names under which the metadata keeps tokens that end an answer. */
const END_KEYS = ['eos', 'eot', 'eom'].map((name) => `tokenizer.ggml.${name}_token_id`)

/** Throws TokenizerError for a kind of tokenizer that is not known here, GgufError for metadata that is amiss. */
export function createTokenizer(metadata: GgufMetadata): Tokenizer {
  const kind = metadataString(metadata, 'tokenizer.ggml.model')
  const pre = metadataString(metadata, 'tokenizer.ggml.pre')
  const preTokenizer = PRE_TOKENIZERS[pre]
  if (kind !== 'gpt2' || !preTokenizer) throw new TokenizerError(`the tokenizer ${kind} with ${pre} is not known here`)
  const tokens = metadataStrings(metadata, 'tokenizer.ggml.tokens')
  const types = metadataNumbers(metadata, 'tokenizer.ggml.token_type')
  const merges = metadataStrings(metadata, 'tokenizer.ggml.merges')
  if (types.length !== tokens.length) throw new TokenizerError(`${tokens.length} tokens have ${types.length} types`)
  const bpe = new Bpe(
    {
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges: merges.map((pair) => pair.split(' ')),
      },
      normalizer: null,
      pre_tokenizer: preTokenizer,
      post_processor: null,
      decoder: { type: 'ByteLevel' },
      added_tokens: [],
    },
    {},
  )
  const isControl = (id: number) => types[id] === CONTROL
  const bytes = tokens.map((token, id) => (isControl(id) ? new Uint8Array() : (tokenBytes(token) ?? new Uint8Array())))
  return {
    vocabularySize: tokens.length,
    eosIds: [...new Set(END_KEYS.filter((key) => metadata.has(key)).map((key) => metadataNumber(metadata, key)))],
    maxTokenBytes: bytes.reduce((longest, { length }) => Math.max(longest, length), 1),
    controlTokens: new Map(tokens.flatMap((token, id) => (isControl(id) ? [[token, id] as const] : []))),
    encode: (text) => (text === '' ? [] : bpe.encode(text, { add_special_tokens: false }).ids),
    decodeBytes: (token) => {
      const found = bytes[token]
      if (!found) throw new RangeError(`there is no token ${token}`)
      return found
    },
  }
}
