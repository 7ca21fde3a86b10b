/** `gpt2`: byte-level BPE over the pieces that a pre-tokenizer cuts. */
import { type GgufMetadata, metadataString, metadataStrings } from '../importers/gguf-metadata.ts'
import { Bpe } from './bpe.ts'
import { tokenBytes } from './byte-level.ts'
import { textSplitter } from './pre-tokenizer.ts'
import type { TextModel, Vocabulary } from './text-model.ts'

export function byteLevelBpe(metadata: GgufMetadata, { tokens }: Vocabulary): TextModel {
  const pre = metadata.has('tokenizer.ggml.pre') ? metadataString(metadata, 'tokenizer.ggml.pre') : 'default'
  const { split, addBos, ignoreMerges } = textSplitter(pre)
  const bpe = new Bpe({ tokens, merges: metadataStrings(metadata, 'tokenizer.ggml.merges'), ignoreMerges })
  return {
    addBos,
    defaultIds: {},
    addsSpace: false,
    encode: (text, out) => {
      for (const piece of split(text)) bpe.encode(piece, out)
    },
    bytes: (id) => tokenBytes(tokens[id] as string) ?? new TextEncoder().encode(tokens[id]),
  }
}
