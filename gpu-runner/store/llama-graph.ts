/**
 * The decoder graph of a checkpoint, built once and kept in the model cache.
 *
 * The folder's name has the checkpoint's hash and the layout's version; it appears by one rename when it is whole.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { type LlamaConfig, llama } from '#models/architectures/llama.ts'
import { type ExternalTensor, encodeModel } from '#models/graph/encode.ts'
import { type GgufFile, parseGguf } from '#models/importers/gguf.ts'
import { metadataNumber } from '#models/importers/gguf-metadata.ts'
import { ggufParameters } from './gguf-checkpoint.ts'
import { openRangeReader } from './range-reader.ts'
import { StoreError } from './store-error.ts'

/** Raised when the graph or the layout of its weights changes, so that cached ones are built anew. */
const LAYOUT = 3
const MODEL = 'model.onnx'
const WEIGHTS = 'weights.bin'

export interface DecoderGraph {
  /** The ONNX file. */
  readonly path: string
  readonly config: LlamaConfig
}

/**
 * @param ggufPath a verified checkpoint
 * @param sha256 its hash
 */
export function ensureLlamaGraph(ggufPath: string, sha256: string): DecoderGraph {
  using reader = openRangeReader(ggufPath)
  const file = parseGguf(reader)
  const config = llamaConfig(file)
  const parent = path.dirname(ggufPath)
  const folder = path.join(parent, `graph-${sha256.slice(0, 16)}-v${LAYOUT}`)
  const graph = { path: path.join(folder, MODEL), config }
  if (existsSync(graph.path)) return graph
  mkdirSync(parent, { recursive: true })
  const part = mkdtempSync(path.join(parent, 'graph-part-'))
  try {
    const { model, external } = encodeModel(llama(config, ggufParameters(file, reader)), WEIGHTS)
    writeWeights(path.join(part, WEIGHTS), external)
    writeFileSync(path.join(part, MODEL), model, { flush: true })
    renameSync(part, folder)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    // Another process may have finished the same graph first.
    if (!existsSync(graph.path)) throw error
  }
  return graph
}

/** The hyperparameters of a `llama` checkpoint. Throws StoreError for another architecture. */
export function llamaConfig(file: GgufFile): LlamaConfig {
  const architecture = file.metadata.get('general.architecture')
  if (architecture !== 'llama') {
    throw new StoreError('invalid_model', `the checkpoint is of the architecture ${String(architecture)}, not llama`)
  }
  const read = (key: string) => metadataNumber(file.metadata, `llama.${key}`)
  const hiddenSize = read('embedding_length')
  const heads = read('attention.head_count')
  const headDim = file.metadata.has('llama.rope.dimension_count') ? read('rope.dimension_count') : hiddenSize / heads
  return {
    layers: read('block_count'),
    hiddenSize,
    heads,
    kvHeads: read('attention.head_count_kv'),
    headDim,
    ffnSize: read('feed_forward_length'),
    vocabularySize: file.tensors.get('token_embd.weight')?.dims[1] ?? 0,
    contextLength: read('context_length'),
    ropeBase: read('rope.freq_base'),
    normEpsilon: read('attention.layer_norm_rms_epsilon'),
    ropeInterleaved: true,
    tiedEmbeddings: !file.tensors.has('output.weight'),
  }
}

function writeWeights(file: string, external: readonly ExternalTensor[]): void {
  const descriptor = openSync(file, 'w')
  try {
    for (const { offset, data } of external) {
      const { buffer, byteOffset, byteLength } = data()
      const view = new Uint8Array(buffer, byteOffset, byteLength)
      for (let done = 0; done < byteLength; ) {
        done += writeSync(descriptor, view, done, byteLength - done, offset + done)
      }
    }
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
