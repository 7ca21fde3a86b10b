/**
 * Llama for training: a checkpoint's weights as they are, and adapters of low rank that are learned beside its matrices
 * (Hu et al. 2021, arXiv:2106.09685). Names and the order of a head's elements are those of a GGUF checkpoint, as in
 * `llama.ts`; an adapter's are those that llama.cpp reads, `{matrix}.lora_a` [rank, in] and `{matrix}.lora_b` [out, rank].
 */
import { add, dimsOf, matMul, mul, reshape, transpose } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { causalAttention } from '../nn/attention.ts'
import { adaptedLinear } from '../nn/lora.ts'
import { crossEntropy } from '../nn/losses.ts'
import { rmsNorm } from '../nn/norm.ts'
import { type Rope, ropeWeights } from '../nn/rope.ts'
import type { Initial, Weights } from '../nn/trainable.ts'
import type { DecoderConfig } from './decoder-blocks.ts'

/** A layer's matrices. */
export const MATRICES = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] as const
export type MatrixName = (typeof MATRICES)[number]

type Shape = 'layers' | 'hiddenSize' | 'heads' | 'kvHeads' | 'headDim' | 'ffnSize' | 'vocabularySize'

/** A Llama whose output layer is the embedding table, and its adapters. */
export interface LlamaLoraConfig extends Pick<DecoderConfig, Shape | 'normEpsilon' | 'ropeBase'> {
  /** Matrices that have an adapter. */
  readonly adapted: readonly MatrixName[]
  readonly rank: number
  /** What adapters count is alpha / rank. */
  readonly alpha: number
}

export interface LoraLayers {
  readonly g: GraphBuilder
  /** The checkpoint's. */
  readonly frozen: Weights
  readonly adapters: Weights
}

const INITIAL: Initial = { kind: 'normal', deviation: 0.02 }

/** What a layer has in common with the others. */
interface Block {
  readonly layers: LoraLayers
  readonly config: LlamaLoraConfig
  readonly rope: Rope
  readonly batch: number
}

function scaleOf({ g, frozen }: LoraLayers, name: string, { hiddenSize, normEpsilon }: LlamaLoraConfig) {
  const scale = frozen.weight({ name, shape: [hiddenSize], initial: { kind: 'constant', value: 1 } })
  return (x: Value) => rmsNorm(g, x, { scale, epsilon: normEpsilon })
}

/** x [rows, in] → [rows, out], by a layer's matrix and its adapter, if it has one. */
function project({ layers, config }: Block, i: number, matrix: MatrixName, x: Value, out: number): Value {
  const { g, frozen, adapters } = layers
  const { adapted, rank, alpha } = config
  const inputs = Number(x.shape[1])
  const name = `blk.${i}.${matrix}.weight`
  const w = frozen.weight({ name, shape: [out, inputs], initial: INITIAL })
  if (!adapted.includes(matrix)) return matMul(g, x, w, { transB: true })
  const uniform: Initial = { kind: 'uniform', bound: 1 / Math.sqrt(inputs) }
  const a = adapters.weight({ name: `${name}.lora_a`, shape: [rank, inputs], initial: uniform })
  const b = adapters.weight({ name: `${name}.lora_b`, shape: [out, rank], initial: { kind: 'constant', value: 0 } })
  return adaptedLinear(g, x, w, { a, b, scale: alpha / rank })
}

/** x [batch · length, hidden] → what attention adds to it */
function attend(block: Block, i: number, x: Value): Value {
  const { layers, config, rope, batch } = block
  const { g } = layers
  const { heads, kvHeads, headDim, hiddenSize } = config
  const [rows = 1] = dimsOf(x)
  const length = rows / batch
  const split = (matrix: MatrixName, count: number) => {
    const flat = project(block, i, matrix, x, count * headDim)
    return transpose(g, reshape(g, flat, [batch, length, count, headDim]), [0, 2, 1, 3]) // [batch, count, length, headDim]
  }
  const first = g.shared('first_position', 'int64', [1], () => new BigInt64Array(1))
  const turned = (states: Value) => g.op('RotaryEmbedding', [states, first, rope.cos, rope.sin], { interleaved: 1 })[0]
  const [q, k, v] = [turned(split('attn_q', heads)), turned(split('attn_k', kvHeads)), split('attn_v', kvHeads)]
  const seen = transpose(g, causalAttention(g, q, k, v), [0, 2, 1, 3])
  return project(block, i, 'attn_output', reshape(g, seen, [rows, heads * headDim]), hiddenSize)
}

/** x [rows, hidden] → what the gated feed-forward layer adds to it */
function feedForward(block: Block, i: number, x: Value): Value {
  const { g } = block.layers
  const { ffnSize, hiddenSize } = block.config
  const [gate] = g.op('QuickGelu', [project(block, i, 'ffn_gate', x, ffnSize)], { alpha: 1 })
  return project(block, i, 'ffn_down', mul(g, gate, project(block, i, 'ffn_up', x, ffnSize)), hiddenSize)
}

/** Mean cross-entropy of the next tokens: ids int64 [batch, length], next int64 [batch · length]. */
export function llamaLoraLoss(layers: LoraLayers, config: LlamaLoraConfig, ids: Value, next: Value): Value {
  const { g, frozen } = layers
  const { vocabularySize, hiddenSize, headDim, ropeBase: base } = config
  const [batch = 1, length = 1] = dimsOf(ids)
  const rope = ropeWeights(g, 'rope', { positions: length, headDim, base, stretch: 1, element: 'float32' })
  const block = { layers, config, rope, batch }
  const table = frozen.weight({ name: 'token_embd.weight', shape: [vocabularySize, hiddenSize], initial: INITIAL })
  let x = reshape(g, g.op('Gather', [table, ids], {})[0], [batch * length, hiddenSize])
  for (let i = 0; i < config.layers; i++) {
    x = add(g, x, attend(block, i, scaleOf(layers, `blk.${i}.attn_norm.weight`, config)(x)))
    x = add(g, x, feedForward(block, i, scaleOf(layers, `blk.${i}.ffn_norm.weight`, config)(x)))
  }
  const normed = scaleOf(layers, 'output_norm.weight', config)(x)
  return crossEntropy(g, matMul(g, normed, table, { transB: true }), next)
}
