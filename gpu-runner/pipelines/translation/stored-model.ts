/** A published model that translates, from its files: its vocabulary, its shape, and its weights as numbers again. */
import * as v from 'valibot'
import type { Checkpoint } from '#models/architectures/published.ts'
import { embeddingSpec, type TranslationConfig } from '#models/architectures/translation.ts'
import { OnnxError, type OnnxTensor, onnxInitializers } from '#models/importers/onnx-initializers.ts'
import { BLOCK_SIZE } from '#models/nn/parameters.ts'
import { ZERO_POINT } from '#models/nn/quantize.ts'
import { type TranslationTokenizer, translationTokenizer } from '#models/tokenizer/translation-tokenizer.ts'
import type { TranslationParts } from '#protocol/published-model.ts'
import { PLACEHOLDERS, placeholder } from '#protocol/translation.ts'

/** The bytes of those that the manifest names. */
export interface TranslationFiles {
  readonly vocabulary: Uint8Array
  readonly encoder: Uint8Array
  readonly decoder: Uint8Array
}

export interface StoredModel {
  readonly pieces: readonly string[]
  readonly config: TranslationConfig
  readonly checkpoint: Checkpoint
}

const vocabularySchema = v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256))), v.maxLength(1 << 17))

/** A vocabulary's file. @throws if it is not one */
export const piecesOf = (vocabulary: Uint8Array): readonly string[] =>
  v.parse(vocabularySchema, JSON.parse(new TextDecoder().decode(vocabulary)))

export const tokenizerOf = (pieces: readonly string[]): TranslationTokenizer =>
  translationTokenizer(
    pieces,
    Array.from({ length: PLACEHOLDERS }, (_, i) => placeholder(i)),
  )

/** @throws OnnxError if the files are not those of such a model */
export function storedModel(parts: TranslationParts, files: TranslationFiles): StoredModel {
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
    throw new OnnxError('the files are not those of a model that translates')
  }
  return { pieces, config, checkpoint }
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
  const elements = new Float32Array(codes.length)
  for (let i = 0; i < codes.length; i++) {
    elements[i] = (scales[Math.floor(i / BLOCK_SIZE)] as number) * ((codes[i] as number) - ZERO_POINT)
  }
  return elements
}

/** Copied, since a file's bytes are aligned to nothing. */
const floatsOf = ({ bytes }: OnnxTensor): Float32Array => new Float32Array(new Uint8Array(bytes).buffer)
