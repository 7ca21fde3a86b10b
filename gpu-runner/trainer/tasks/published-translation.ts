/** A model that translates as it is published, and what it is measured by. */

import type { Checkpoint } from '#models/architectures/published.ts'
import { translationDecoder, translationEncoder } from '#models/architectures/published-translation.ts'
import type { TranslationConfig } from '#models/architectures/translation.ts'
import type { TranslationParts } from '#protocol/published-model.ts'
import { loadTranslator } from '../../pipelines/translation/load-translator.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { bleu } from '../evaluation/bleu.ts'
import { chrf } from '../evaluation/chrf.ts'
import type { Metrics } from '../task.ts'
import { onnxFile, writtenFile } from './onnx-file.ts'
import type { SentencePair } from '../data/data-set.ts'

export interface TranslationModel {
  readonly parts: TranslationParts
  /** Vocabulary, encoder and decoder. */
  readonly files: readonly Uint8Array[]
}

export interface TranslationModelOptions extends Pick<TranslationParts, 'languages' | 'sourceLength' | 'targetLength'> {
  readonly config: TranslationConfig
  readonly pieces: readonly string[]
}

export function publishedTranslation(checkpoint: Checkpoint, options: TranslationModelOptions): TranslationModel {
  const { config, pieces, languages, sourceLength, targetLength } = options
  const { width, heads, decoderLayers } = config
  const vocabulary = writtenFile(new TextEncoder().encode(`${JSON.stringify(pieces)}\n`))
  const encoder = onnxFile(translationEncoder(config, checkpoint))
  const decoder = onnxFile(translationDecoder(config, checkpoint))
  return {
    parts: {
      ...{ family: 'translation', languages, width, heads, decoderLayers, sourceLength, targetLength },
      ...{ vocabulary: vocabulary.file, encoder: encoder.file, decoder: decoder.file },
    },
    files: [vocabulary.bytes, encoder.bytes, decoder.bytes],
  }
}

/** BLEU and chrF++ of translations of pairs' sources by their targets. */
export function translationScores(
  ort: Runtime,
  { parts, files }: TranslationModel,
  pairs: readonly SentencePair[],
  { beam }: { readonly beam: number },
): Metrics {
  const [vocabulary, encoder, decoder] = files
  if (!vocabulary || !encoder || !decoder) throw new TypeError('a model that translates is three files')
  using translator = loadTranslator(ort, parts, { vocabulary, encoder, decoder })
  const translations = translator.translate(
    pairs.map(({ source }) => source),
    { beam, alternatives: 0, isWanted: () => true },
  )
  const hypotheses = (translations ?? []).map(({ text }) => text)
  const references = pairs.map(({ target }) => target)
  return { bleu: bleu(hypotheses, references), chrf: chrf(hypotheses, references) }
}
