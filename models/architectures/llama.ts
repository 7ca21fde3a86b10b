/**
 * Llama: a decoder-only transformer with RMSNorm, rotary embeddings, grouped-query attention and SwiGLU
 * (Touvron et al. 2023, https://arxiv.org/abs/2302.13971; grouped queries from https://arxiv.org/abs/2307.09288).
 *
 * Parameter names are those of a GGUF checkpoint. The KV cache is an input and an output of the same shape, to be bound
 * to the same memory: attention writes the new positions in place.
 *
 *   inputs   input_ids [batch, seq] · lengths_minus_one [batch] · total_length [] · logit_rows [rows]
 *            past.{i}.key, past.{i}.value [batch, kvHeads, capacity, headDim]
 *   outputs  logits [rows, vocabulary] · present.{i}.key, present.{i}.value
 */
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { embedding, linear } from '../nn/linear.ts'
import type { Parameters } from '../nn/parameters.ts'
import { ropeTables } from '../nn/rope.ts'

export interface LlamaConfig {
  readonly layers: number
  readonly hiddenSize: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly ffnSize: number
  readonly vocabularySize: number
  /** Tokens that the rotary tables and so the KV cache cover. */
  readonly contextLength: number
  readonly ropeBase: number
  readonly normEpsilon: number
  /** Whether a head turns neighbouring elements together, as GGUF checkpoints of this family are stored. */
  readonly ropeInterleaved: boolean
  /** The output layer is the embedding table. */
  readonly tiedEmbeddings: boolean
}

/** The decoder for one checkpoint. Throws if a parameter is missing or of the wrong shape. */
export function llama(config: LlamaConfig, parameters: Parameters): Graph {
  const g = new GraphBuilder('llama')
  const { layers, hiddenSize, vocabularySize } = config
  const inputIds = g.input('input_ids', 'int64', ['batch', 'seq'])
  const attentionInputs = {
    lengthsMinusOne: g.input('lengths_minus_one', 'int32', ['batch']),
    totalLength: g.input('total_length', 'int32', []),
    ...ropeWeights(g, config),
  }
  const logitRows = g.input('logit_rows', 'int64', ['rows'])

  const table = parameters.matrix('token_embd.weight')
  let residual = embedding(g, inputIds, table) // [batch, seq, hidden]
  let x = rmsNorm(g, config, residual, parameters, 'blk.0.attn_norm.weight') // [batch, seq, hidden]
  for (let i = 0; i < layers; i++) {
    const attended = g.in(`blk.${i}.attn`, () => attention(g, config, i, x, attentionInputs, parameters))
    ;[x, residual] = addAndNorm(g, config, residual, attended, parameters, `blk.${i}.ffn_norm.weight`)
    const transformed = g.in(`blk.${i}.ffn`, () => swiGlu(g, config, i, x, parameters))
    if (i + 1 < layers) {
      ;[x, residual] = addAndNorm(g, config, residual, transformed, parameters, `blk.${i + 1}.attn_norm.weight`)
    } else {
      residual = g.op('Add', [residual, transformed], {})[0]
    }
  }

  const [flat] = g.op('Reshape', [residual, g.integers([-1, hiddenSize])], {}) // [batch · seq, hidden]
  const [rows] = g.op('Gather', [flat, logitRows], { axis: 0 }) // [rows, hidden]
  const normed = rmsNorm(g, config, rows, parameters, 'output_norm.weight')
  const output = config.tiedEmbeddings ? table : parameters.matrix('output.weight')
  if (output.rows !== vocabularySize)
    throw new RangeError(`${output.name} has ${output.rows} rows, not ${vocabularySize}`)
  g.output(linear(g, normed, output), 'logits')
  return g.build()
}

interface AttentionInputs {
  readonly lengthsMinusOne: Value
  readonly totalLength: Value
  readonly cos: Value
  readonly sin: Value
}

/** x [batch, seq, hidden] → [batch, seq, hidden] */
function attention(
  g: GraphBuilder,
  config: LlamaConfig,
  i: number,
  x: Value,
  inputs: AttentionInputs,
  p: Parameters,
): Value {
  const { heads, kvHeads, headDim } = config
  const cache = ['batch', kvHeads, 'capacity', headDim]
  const pastKey = g.input(`past.${i}.key`, 'float32', cache)
  const pastValue = g.input(`past.${i}.value`, 'float32', cache)
  const names = ['attn_q', 'attn_k', 'attn_v'].map((part) => `blk.${i}.${part}.weight`)
  const qkv = linear(g, x, p.matrix(...names)) // [batch, seq, (heads + 2 · kvHeads) · headDim]
  const { lengthsMinusOne, totalLength, cos, sin } = inputs
  const [attended, presentKey, presentValue] = g.op(
    'GroupQueryAttention',
    [qkv, null, null, pastKey, pastValue, lengthsMinusOne, totalLength, cos, sin],
    {
      num_heads: heads,
      kv_num_heads: kvHeads,
      do_rotary: 1,
      rotary_interleaved: config.ropeInterleaved ? 1 : 0,
      scale: 1 / Math.sqrt(headDim),
    },
  )
  if (!presentKey || !presentValue) throw new TypeError('attention gave no KV cache')
  g.output(presentKey, `present.${i}.key`)
  g.output(presentValue, `present.${i}.value`)
  return linear(g, attended, p.matrix(`blk.${i}.attn_output.weight`))
}

/** down(SiLU(gate(x)) · up(x)) (Shazeer 2020, https://arxiv.org/abs/2002.05202) */
function swiGlu(g: GraphBuilder, { ffnSize }: LlamaConfig, i: number, x: Value, p: Parameters): Value {
  const gateAndUp = linear(g, x, p.matrix(`blk.${i}.ffn_gate.weight`, `blk.${i}.ffn_up.weight`)) // [batch, seq, 2 · ffn]
  const [gate, up] = g.op('Split', [gateAndUp, g.integers([ffnSize, ffnSize])], { axis: -1 })
  if (!up) throw new TypeError('Split gave one part')
  const [activated] = g.op('QuickGelu', [gate], { alpha: 1 })
  const [product] = g.op('Mul', [activated, up], {})
  return linear(g, product, p.matrix(`blk.${i}.ffn_down.weight`))
}

function normWeight(g: GraphBuilder, { hiddenSize }: LlamaConfig, p: Parameters, name: string): Value {
  const scale = p.vector(name)
  if (scale.length !== hiddenSize) throw new RangeError(`${name} has ${scale.length} elements, not ${hiddenSize}`)
  return g.weight(name, 'float32', [hiddenSize], () => scale)
}

function rmsNorm(g: GraphBuilder, config: LlamaConfig, x: Value, p: Parameters, name: string): Value {
  const attributes = { axis: -1, epsilon: config.normEpsilon, stash_type: 1 }
  return g.op('SimplifiedLayerNormalization', [x, normWeight(g, config, p, name)], attributes)[0]
}

/** [norm(residual + x), residual + x] in one pass over memory */
function addAndNorm(
  g: GraphBuilder,
  config: LlamaConfig,
  residual: Value,
  x: Value,
  p: Parameters,
  name: string,
): [Value, Value] {
  const epsilon = config.normEpsilon
  const weight = normWeight(g, config, p, name)
  const [normed, sum] = g.op('SkipSimplifiedLayerNormalization', [residual, x, weight], { epsilon })
  if (!sum) throw new TypeError('SkipSimplifiedLayerNormalization gave no sum')
  return [normed, sum]
}

function ropeWeights(g: GraphBuilder, { contextLength, headDim, ropeBase }: LlamaConfig): { cos: Value; sin: Value } {
  const { cos, sin } = ropeTables(contextLength, headDim, ropeBase)
  const shape = [contextLength, headDim / 2]
  return {
    cos: g.weight('rope.cos', 'float32', shape, () => cos),
    sin: g.weight('rope.sin', 'float32', shape, () => sin),
  }
}
