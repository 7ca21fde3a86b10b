/** A byte-level vocabulary of a few merges, for tests that need no real one. */
import type { GgufValue } from '../../importers/gguf.ts'
import type { GgufMetadata } from '../../importers/gguf-metadata.ts'
import { BYTE_CHARACTERS } from '../byte-level.ts'

const MERGES = [
  'h e',
  'l l',
  'he ll',
  'hell o',
  'Ġ w',
  'o r',
  'l d',
  'Ġw or',
  'Ġwor ld',
  'a a',
  'aa aa',
  'Ġ Ġ',
  'ĠĠ ĠĠ',
]
const CONTROLS = ['<|start|>', '<|im_end|>', '<|im_end|>>']
const USER_DEFINED = ['<think>']

/** Tokens 0 to 255 are bytes, then merges, then control tokens, then a user-defined one. */
export function smallVocabulary(changes: Readonly<Record<string, GgufValue>> = {}): GgufMetadata {
  const plain = [...BYTE_CHARACTERS, ...MERGES.map((merge) => merge.replace(' ', ''))]
  const type = (count: number, code: number) => Array.from({ length: count }, () => code)
  return new Map(
    Object.entries<GgufValue>({
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.tokens': [...plain, ...CONTROLS, ...USER_DEFINED],
      'tokenizer.ggml.token_type': [
        ...type(plain.length, 1),
        ...type(CONTROLS.length, 3),
        ...type(USER_DEFINED.length, 4),
      ],
      'tokenizer.ggml.merges': MERGES,
      'tokenizer.ggml.bos_token_id': plain.length,
      'tokenizer.ggml.eos_token_id': plain.length + 1,
      ...changes,
    }),
  )
}
