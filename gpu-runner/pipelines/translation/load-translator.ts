/**
 * A published model that translates, from its files. They keep its matrices in blocks, which is the nearest to what was
 * learned; the graphs that run here are made of the same weights, in rows, which is the quickest (decision 15).
 */
import { translationDecoder, translationEncoder } from '#models/architectures/published-translation.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { TranslationParts } from '#protocol/published-model.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { storedModel, type TranslationFiles, tokenizerOf } from './stored-model.ts'
import { TextTranslator } from './text-translator.ts'
import { Translator } from './translator.ts'

/** @throws if a file is not what the manifest says */
export function loadTranslator(ort: Runtime, parts: TranslationParts, files: TranslationFiles): TextTranslator {
  const { pieces, config, checkpoint } = storedModel(parts, files)
  const encoder = encodeModel(translationEncoder(config, checkpoint, 'rows'))
  const decoder = encodeModel(translationDecoder(config, checkpoint, 'rows'))
  const { width, heads, decoderLayers, sourceLength, targetLength } = parts
  const shape = { width, heads, decoderLayers, positions: targetLength }
  return new TextTranslator(new Translator(ort, encoder, decoder, shape), tokenizerOf(pieces), sourceLength)
}
