/**
 * Qwen: Llama's layers with other heads. Qwen 2 adds a bias to queries, keys and values (https://arxiv.org/abs/2407.10671);
 * Qwen 3 has none, and normalises each query and key instead (https://arxiv.org/abs/2505.09388). Inputs and outputs are in
 * `decoder-blocks.ts`.
 */
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { embedding } from '../nn/linear.ts'
import type { Parameters } from '../nn/parameters.ts'
import {
  attend,
  checkpointRope,
  type Decoder,
  type DecoderConfig,
  embeddingTable,
  type Heads,
  headRows,
  logitsOf,
  normedHeads,
  packedHeads,
  positionInputs,
  preNormLayers,
  swiGlu,
} from './decoder-blocks.ts'

/** The decoder for one checkpoint. Throws if a parameter is missing or of the wrong shape. */
export const qwen2 = (config: DecoderConfig, p: Parameters): Graph =>
  qwen('qwen2', config, p, (decoder, i, x) => [packedHeads(decoder, i, x, headBias(decoder, i))])

/** The decoder for one checkpoint. Throws if a parameter is missing or of the wrong shape. */
export const qwen3 = (config: DecoderConfig, p: Parameters): Graph =>
  qwen('qwen3', config, p, (decoder, i, x) => normedHeads(decoder, i, packedHeads(decoder, i, x)))

/** Queries, keys and values of layer i from x [batch, seq, hidden], as `attend` takes them. */
type ComputeHeads = (decoder: Decoder, i: number, x: Value) => Heads

function qwen(name: string, config: DecoderConfig, p: Parameters, heads: ComputeHeads): Graph {
  const g = new GraphBuilder(name)
  const decoder: Decoder = { g, config, p }
  const inputIds = g.input('input_ids', 'int64', ['batch', 'seq'])
  const positions = positionInputs(g)
  const rope = checkpointRope(decoder)
  const logitRows = g.input('logit_rows', 'int64', ['rows'])
  const attention = { positions, rope, interleaved: false, scale: 1 / Math.sqrt(config.headDim) }

  const table = embeddingTable(decoder)
  const embedded = embedding(g, inputIds, table) // [batch, seq, hidden]
  const residual = preNormLayers(
    decoder,
    embedded,
    (i, x) => attend(decoder, i, heads(decoder, i, x), attention),
    (i, x) => swiGlu(decoder, i, x),
  )
  g.output(logitsOf(decoder, residual, logitRows, table), 'logits')
  return g.build()
}

/** [(heads + 2 · kvHeads) · headDim] */
function headBias({ g, config, p }: Decoder, i: number): Value {
  const parts = Object.entries(headRows(config, i, 'bias')).map(([name, length]) => p.vector(name, length))
  const bias = Float32Array.from(parts.flatMap((part) => [...part]))
  return g.weight(`blk.${i}.attn_qkv.bias`, 'float32', [bias.length], () => bias)
}
