/** The families of decoders, by a checkpoint's `general.architecture`: how its metadata is read, and what it becomes. */
import type { Architecture, DecoderConfig, KvElement, Phase } from '#models/architectures/decoder-blocks.ts'
import { type GemmaConfig, gemma } from '#models/architectures/gemma.ts'
import { llama } from '#models/architectures/llama.ts'
import { qwen2, qwen3 } from '#models/architectures/qwen.ts'
import type { Graph } from '#models/graph/graph.ts'
import type { GgufFile } from '#models/importers/gguf.ts'
import type { Parameters } from '#models/nn/parameters.ts'
import { HyperParameters } from './hyper-parameters.ts'
import { StoreError } from './store-error.ts'

export interface DecoderModel {
  readonly config: DecoderConfig
  readonly build: (parameters: Parameters, phase: Phase) => Graph
}

type Family = (file: GgufFile, kvElement: KvElement) => DecoderModel

const family =
  <Config extends DecoderConfig>(read: (file: GgufFile) => Config, build: Architecture<Config>): Family =>
  (file, kvElement) => {
    const config = { ...read(file), kvElement }
    return { config, build: (parameters, phase) => build(config, parameters, phase) }
  }

const FAMILIES: ReadonlyMap<unknown, Family> = new Map([
  ['llama', family(decoderConfig, llama)],
  ['qwen2', family(decoderConfig, qwen2)],
  ['qwen3', family(decoderConfig, qwen3)],
  ['gemma2', family(gemma2Config, gemma)],
  ['gemma3', family(gemma3Config, gemma)],
])

/** Throws StoreError for an architecture that is not known, and for metadata that does not describe one that is. */
export function decoderModel(file: GgufFile, kvElement: KvElement): DecoderModel {
  const architecture = file.metadata.get('general.architecture')
  const read = FAMILIES.get(architecture)
  if (read) return read(file, kvElement)
  const known = [...FAMILIES.keys()].join(', ')
  throw new StoreError('invalid_model', `the checkpoint is of the architecture ${architecture}, not one of ${known}`)
}

/** What the metadata of every family has. Throws StoreError naming the key that is missing or makes no sense. */
function decoderConfig(file: GgufFile): DecoderConfig {
  const read = new HyperParameters(file)
  const hiddenSize = read.count('embedding_length')
  const heads = read.count('attention.head_count')
  const kvHeads = read.count('attention.head_count_kv', heads)
  if (heads % kvHeads !== 0) throw read.wrong('attention.head_count_kv', `${kvHeads}, no divisor of ${heads} heads`)
  const headDim = headSize(read, hiddenSize, heads)
  const vocabularySize = file.tensors.get('token_embd.weight')?.dims[1]
  if (vocabularySize === undefined)
    throw new StoreError('invalid_model', 'the checkpoint has no table token_embd.weight')
  return {
    layers: read.count('block_count'),
    hiddenSize,
    heads,
    kvHeads,
    headDim,
    ffnSize: read.count('feed_forward_length'),
    vocabularySize,
    contextLength: read.count('context_length'),
    normEpsilon: read.positive('attention.layer_norm_rms_epsilon'),
    ropeBase: read.positive('rope.freq_base', 10000),
    ropeStretch: ropeStretch(read),
    ropeDivisors: file.tensors.has('rope_freqs.weight'),
    tiedEmbeddings: !file.tensors.has('output.weight'),
    kvElement: 'float32',
  }
}

/** GroupQueryAttention's rotary embedding takes no others. */
const HEAD_SIZE_STEP = 16

function headSize(read: HyperParameters, hiddenSize: number, heads: number): number {
  const key = read.has('attention.key_length') ? 'attention.key_length' : 'rope.dimension_count'
  const headDim = read.count(key, hiddenSize / heads)
  for (const other of ['rope.dimension_count', 'attention.value_length']) {
    const size = read.count(other, headDim)
    if (size !== headDim) throw read.wrong(other, `${size}, not the ${headDim} elements of a head`)
  }
  if (headDim % HEAD_SIZE_STEP !== 0) throw read.wrong(key, `${headDim}, no multiple of ${HEAD_SIZE_STEP}`)
  return headDim
}

function ropeStretch(read: HyperParameters): number {
  const type = read.text('rope.scaling.type', 'linear')
  if (type === 'none') return 1
  if (type === 'linear') return read.positive('rope.scaling.factor', read.positive('rope.scale_linear', 1))
  throw read.wrong('rope.scaling.type', `${type}, which is not computed here; linear and none are`)
}

/** Defaults of checkpoints that were written before their keys were. */
const GEMMA2 = { window: 4096, windowPeriod: 2, scoreCap: 50, logitCap: 30, layersOf27B: 46 }
const GEMMA3 = { windowPeriod: 6, localRopeBase: 10000, layersOf27B: 62 }

function gemma2Config(file: GgufFile): GemmaConfig {
  const read = new HyperParameters(file)
  const base = decoderConfig(file)
  return {
    ...base,
    window: read.count('attention.sliding_window', GEMMA2.window),
    windowPeriod: read.count('attention.sliding_window_pattern', GEMMA2.windowPeriod),
    queryScale: queryScale(read, base, GEMMA2.layersOf27B),
    headNorms: false,
    scoreCap: read.positive('attn_logit_softcapping', GEMMA2.scoreCap),
    logitCap: read.positive('final_logit_softcapping', GEMMA2.logitCap),
  }
}

function gemma3Config(file: GgufFile): GemmaConfig {
  const read = new HyperParameters(file)
  const base = decoderConfig(file)
  return {
    ...base,
    window: read.count('attention.sliding_window'),
    windowPeriod: read.count('attention.sliding_window_pattern', GEMMA3.windowPeriod),
    localRopeBase: read.positive('rope.freq_base_swa', GEMMA3.localRopeBase),
    queryScale: queryScale(read, base, GEMMA3.layersOf27B),
    headNorms: true,
    scoreCap: cap(read, 'attn_logit_softcapping'),
    logitCap: cap(read, 'final_logit_softcapping'),
  }
}

const cap = (read: HyperParameters, key: string): number | undefined => (read.has(key) ? read.positive(key) : undefined)

/** The 27B of both families scale by the hidden size over the heads, which no key of theirs says. */
function queryScale(read: HyperParameters, config: DecoderConfig, layersOf27B: number): number {
  const { layers, hiddenSize, heads, headDim } = config
  return read.positive('attention.scale', 1 / Math.sqrt(layers === layersOf27B ? hiddenSize / heads : headDim))
}
