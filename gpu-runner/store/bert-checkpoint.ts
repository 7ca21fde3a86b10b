/** A checkpoint of BERT as Hugging Face keeps it, `model.safetensors` with `config.json` beside it, as an embedder's graph. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { type BertConfig, bertEmbedder } from '#models/architectures/bert.ts'
import { encodeModel } from '#models/graph/encode.ts'
import { parseSafetensors, readFloats } from '#models/importers/safetensors.ts'
import { openRangeReader } from './range-reader.ts'
import { StoreError } from './store-error.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(1))
const configSchema = v.object({
  model_type: v.literal('bert'),
  hidden_act: v.literal('gelu'),
  position_embedding_type: v.optional(v.literal('absolute')),
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  intermediate_size: count,
  max_position_embeddings: count,
  type_vocab_size: count,
  layer_norm_eps: v.pipe(v.number(), v.gtValue(0)),
})

/** Tensors that an embedder has no use for: a layer that classifies, and positions that are counted. */
const UNUSED = /^(pooler\.dense\.(weight|bias)|embeddings\.position_ids)$/

export interface BertModel {
  readonly config: BertConfig
  /** An ONNX file. */
  readonly model: Uint8Array
}

/** Throws StoreError or SafetensorsError for a checkpoint that is malformed, or of another architecture. */
export function readBert(modelPath: string): BertModel {
  const config = readConfig(path.join(path.dirname(modelPath), 'config.json'))
  using reader = openRangeReader(modelPath)
  const { tensors } = parseSafetensors(reader)
  const used = new Set<string>()
  const graph = bertEmbedder(config, (name, shape) => {
    const tensor = tensors.get(name)
    if (!tensor) throw invalid(`the checkpoint has no tensor ${name}`)
    if (String(tensor.shape) !== String(shape)) {
      throw invalid(`${name} is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`)
    }
    used.add(name)
    return readFloats(reader, tensor)
  })
  const model = encodeModel(graph)
  const unknown = [...tensors.keys()].find((name) => !used.has(name) && !UNUSED.test(name))
  // Whoever trained the model has it computed with.
  if (unknown !== undefined) throw invalid(`nothing here computes with the tensor ${unknown.slice(0, 100)}`)
  return { config, model }
}

const invalid = (message: string) => new StoreError('invalid_model', message)

function readConfig(file: string): BertConfig {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), configSchema), readFileSync(file, 'utf8'))
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw invalid(`config.json is not of a BERT that is computed here: ${v.getDotPath(issue) ?? ''} ${issue.message}`)
  }
  const config = parsed.output
  const { hidden_size: hiddenSize, num_attention_heads: heads } = config
  if (hiddenSize % heads !== 0) throw invalid(`${hiddenSize} hidden units do not divide into ${heads} heads`)
  return {
    layers: config.num_hidden_layers,
    hiddenSize,
    heads,
    ffnSize: config.intermediate_size,
    vocabularySize: config.vocab_size,
    positions: config.max_position_embeddings,
    segments: config.type_vocab_size,
    normEpsilon: config.layer_norm_eps,
  }
}
