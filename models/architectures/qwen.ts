/**
 * Qwen: Llama's layers with other heads. Qwen 2 adds a bias to queries, keys and values (https://arxiv.org/abs/2407.10671);
 * Qwen 3 has none, and normalises each query and key instead (https://arxiv.org/abs/2505.09388). Inputs and outputs are in
 * `decoder-blocks.ts`.
 */
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { embedding } from '../nn/linear.ts'
import {
  type Architecture,
  attend,
  checkpointRope,
  type Decoder,
  embeddingTable,
  type Heads,
  headRows,
  logitsOf,
  normedHeads,
  packedHeads,
  positionInputs,
  preNormLayers,
  swiGlu,
  tokenInput,
} from './decoder-blocks.ts'

export const qwen2: Architecture = (config, p, phase) =>
  qwen({ name: 'qwen2', config, p, phase }, (decoder, i, x) => [packedHeads(decoder, i, x, headBias(decoder, i))])

export const qwen3: Architecture = (config, p, phase) =>
  qwen({ name: 'qwen3', config, p, phase }, (decoder, i, x) => normedHeads(decoder, i, packedHeads(decoder, i, x)))

/** Queries, keys and values of layer i from x [1, tokens, hidden], as `attend` takes them. */
type ComputeHeads = (decoder: Decoder, i: number, x: Value) => Heads

function qwen({ name, ...checkpoint }: Omit<Decoder, 'g'> & { name: string }, heads: ComputeHeads): Graph {
  const { config, phase } = checkpoint
  const g = new GraphBuilder(`${name}.${phase}`)
  const decoder: Decoder = { g, ...checkpoint }
  const inputIds = tokenInput(g)
  const positions = positionInputs(decoder)
  const rope = checkpointRope(decoder)
  const attention = { positions, rope, interleaved: false, scale: 1 / Math.sqrt(config.headDim) }

  const table = embeddingTable(decoder)
  const embedded = embedding(g, inputIds, table) // [1, tokens, hidden]
  const residual = preNormLayers(
    decoder,
    embedded,
    (i, x) => attend(decoder, i, heads(decoder, i, x), attention),
    (i, x) => swiGlu(decoder, i, x),
  )
  if (phase === 'decode') g.output(logitsOf(decoder, residual, table), 'logits')
  return g.build()
}

/** [(heads + 2 · kvHeads) · headDim] */
function headBias({ g, config, p }: Decoder, i: number): Value {
  const parts = Object.entries(headRows(config, i, 'bias')).map(([name, length]) => p.vector(name, length))
  const bias = Float32Array.from(parts.flatMap((part) => [...part]))
  return g.weight(`blk.${i}.attn_qkv.bias`, 'float32', [bias.length], () => bias)
}
