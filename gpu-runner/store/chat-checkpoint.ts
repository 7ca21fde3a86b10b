/** Whether a checkpoint can chat: all that is read of it before it is loaded is read. */
import { parseGguf } from '#models/importers/gguf.ts'
import { createChatTemplate } from '#models/tokenizer/chat-template.ts'
import { createTokenizer } from '#models/tokenizer/tokenizer.ts'
import { decoderModel } from './decoder-families.ts'
import { openRangeReader } from './range-reader.ts'

/** Tokens of its context. Throws StoreError, GgufError or TokenizerError for what is missing or not known. */
export function chatContext(file: string): number {
  using reader = openRangeReader(file)
  const gguf = parseGguf(reader)
  createTokenizer(gguf.metadata)
  createChatTemplate(gguf.metadata)
  return decoderModel(gguf, 'float32').config.contextLength
}
