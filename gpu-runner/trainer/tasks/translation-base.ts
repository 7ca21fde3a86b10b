/** A published model that translates as one to go on from: its vocabulary, its shape, and its weights as numbers again. */
import type { Checkpoint } from '#models/architectures/published.ts'
import { embeddingSpec, type TranslationConfig } from '#models/architectures/translation.ts'
import { OnnxError, type OnnxTensor, onnxInitializers } from '#models/importers/onnx-initializers.ts'
import { BLOCK_SIZE } from '#models/nn/parameters.ts'
import { ZERO_POINT } from '#models/nn/quantize.ts'
import type { PublishedTranslation } from '#protocol/published-model.ts'
import { piecesOf, tokenizerOf, type TranslationFiles } from '../../pipelines/translation/load-translator.ts'

export interface TranslationBase {
  readonly id: string
  readonly parts: PublishedTranslation['parts']
  readonly files: TranslationFiles
  readonly pieces: readonly string[]
  readonly config: TranslationConfig
  readonly checkpoint: Checkpoint
  /** Sentences that it is reminded of while it is tuned. */
  readonly rehearsal: readonly string[]
}

/** @throws OnnxError if the files are not those of such a model */
export function translationBase(
  { id, parts }: PublishedTranslation,
  files: TranslationFiles,
  rehearsal: readonly string[] = [],
): TranslationBase {
  const pieces = piecesOf(files.vocabulary)
  const tensors = new Map([...onnxInitializers(files.encoder), ...onnxInitializers(files.decoder)])
  const checkpoint = new Map([...tensors].flatMap(([name, tensor]) => weightOf(name, tensor, tensors)))
  const { width, heads, decoderLayers, sourceLength, targetLength } = parts
  const encoderLayers = [...checkpoint.keys()].filter((name) => /^encoder\.\d+\.ffn\.in\.bias$/.test(name)).length
  const hidden = checkpoint.get('decoder.0.ffn.in.bias')?.length ?? 0
  const vocabulary = tokenizerOf(pieces).size
  const config: TranslationConfig = {
    ...{ vocabulary, width, heads, hidden, encoderLayers, decoderLayers },
    positions: Math.max(sourceLength, targetLength),
  }
  const { name, shape } = embeddingSpec(config)
  if (checkpoint.get(name)?.length !== shape.reduce((a, b) => a * b, 1) || hidden === 0 || encoderLayers === 0) {
    throw new OnnxError(`the files of ${id} are not those of a model that translates`)
  }
  return { id, parts, files, pieces, config, checkpoint, rehearsal }
}

const CODES = '.codes'
const SCALES = '.scales'

/** A weight by the name that checkpoints have for it; nothing for what is no weight, or a part of one. */
function weightOf(
  name: string,
  tensor: OnnxTensor,
  tensors: ReadonlyMap<string, OnnxTensor>,
): [name: string, data: Float32Array][] {
  if (name.endsWith(CODES)) {
    const weight = name.slice(0, -CODES.length)
    const scales = tensors.get(weight + SCALES)
    return scales ? [[weight, dequantized(tensor.bytes, floatsOf(scales))]] : []
  }
  return /\.(?:weight|bias)$/.test(name) && tensor.element === 'float32' ? [[name, floatsOf(tensor)]] : []
}

/** What `quantizedMatrix` made codes of, but for their rounding. */
function dequantized(codes: Uint8Array, scales: Float32Array): Float32Array {
  if (codes.length !== scales.length * BLOCK_SIZE) throw new OnnxError('codes and scales do not belong together')
  return Float32Array.from(codes, (code, i) => (scales[Math.floor(i / BLOCK_SIZE)] ?? 0) * (code - ZERO_POINT))
}

/** Copied, since a file's bytes are aligned to nothing. */
const floatsOf = ({ bytes }: OnnxTensor): Float32Array => new Float32Array(new Uint8Array(bytes).buffer)
