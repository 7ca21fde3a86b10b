/**
 * The blocks that the decoders share. Parameter names are those of a GGUF checkpoint.
 *
 * The KV cache is an input and an output of the same shape, to be bound to the same memory: attention writes the new
 * positions in place.
 *
 *   inputs   input_ids [batch, seq] · lengths_minus_one [batch] · total_length [] · logit_rows [rows]
 *            past.{i}.key, past.{i}.value [batch, kvHeads, capacity, headDim]
 *   outputs  logits [rows, vocabulary] · present.{i}.key, present.{i}.value
 */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { linear, stackedLinear } from '../nn/linear.ts'
import { addAndNorm, type Norm, norm, rmsNorm } from '../nn/norm.ts'
import type { Matrix, Parameters } from '../nn/parameters.ts'
import { type Rope, ropeWeights } from '../nn/rope.ts'

export interface DecoderConfig {
  readonly layers: number
  readonly hiddenSize: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly ffnSize: number
  readonly vocabularySize: number
  /** Tokens that the rotary tables and so the KV cache cover. */
  readonly contextLength: number
  readonly normEpsilon: number
  readonly ropeBase: number
  /** What positions are divided by before they turn the heads; 1 where they are as in training. */
  readonly ropeStretch: number
  /** Whether `rope_freqs.weight` has a divisor for each frequency. */
  readonly ropeDivisors: boolean
  /** The output layer is the embedding table. */
  readonly tiedEmbeddings: boolean
}

/** A checkpoint on its way into a graph. */
export interface Decoder<Config extends DecoderConfig = DecoderConfig> {
  readonly g: GraphBuilder
  readonly config: Config
  readonly p: Parameters
}

export type Table = ReturnType<Parameters['table']>

/** The inputs that tell attention how far each sequence is. */
export interface Positions {
  readonly lengthsMinusOne: Value
  readonly totalLength: Value
}

export const positionInputs = (g: GraphBuilder): Positions => ({
  lengthsMinusOne: g.input('lengths_minus_one', 'int32', ['batch']),
  totalLength: g.input('total_length', 'int32', []),
})

export const embeddingTable = ({ config, p }: Decoder): Table =>
  p.table(config.hiddenSize, 'token_embd.weight', config.vocabularySize)

/** A norm over the hidden size. */
export const hiddenNorm = ({ g, config, p }: Decoder, name: string): Norm =>
  norm(g, p, name, { size: config.hiddenSize, epsilon: config.normEpsilon })

/** The rotary embedding that the checkpoint's own keys describe. */
export function checkpointRope({ g, config, p }: Decoder): Rope {
  const { contextLength: positions, headDim, ropeBase: base, ropeStretch: stretch, ropeDivisors } = config
  const divisors = ropeDivisors ? p.vector('rope_freqs.weight', headDim / 2) : undefined
  return ropeWeights(g, 'rope', { positions, headDim, base, stretch, divisors })
}

/** The block from the second half of a layer: what is added to the residual stream, x [batch, seq, hidden] → the same. */
export type Block = (i: number, x: Value) => Value

/**
 * Layers that normalise what they read: residual + attention(norm(residual)), then the same with the gated MLP.
 * @param residual the embedded tokens, [batch, seq, hidden]
 * @returns what the last layer leaves, [batch, seq, hidden]
 */
export function preNormLayers(decoder: Decoder, embedded: Value, attention: Block, mlp: Block): Value {
  const { g, config } = decoder
  let residual = embedded
  let x = rmsNorm(g, residual, hiddenNorm(decoder, 'blk.0.attn_norm.weight'))
  for (let i = 0; i < config.layers; i++) {
    const attended = g.in(`blk.${i}.attn`, () => attention(i, x))
    ;[x, residual] = addAndNorm(g, residual, attended, hiddenNorm(decoder, `blk.${i}.ffn_norm.weight`))
    const transformed = g.in(`blk.${i}.ffn`, () => mlp(i, x))
    if (i + 1 < config.layers) {
      const next = hiddenNorm(decoder, `blk.${i + 1}.attn_norm.weight`)
      ;[x, residual] = addAndNorm(g, residual, transformed, next)
    } else {
      residual = g.op('Add', [residual, transformed], {})[0]
    }
  }
  return residual
}

/** Queries, keys and values side by side: x [batch, seq, hidden] → [batch, seq, (heads + 2 · kvHeads) · headDim] */
export function packedHeads({ g, config, p }: Decoder, i: number, x: Value, bias?: Value): Value {
  const rows = headRows(config, i, 'weight')
  return stackedLinear(g, x, p.stack(config.hiddenSize, rows), bias)
}

/** The rows of each of the three projections, by parameter name. */
export function headRows({ heads, kvHeads, headDim }: DecoderConfig, i: number, part: 'weight' | 'bias') {
  return {
    [`blk.${i}.attn_q.${part}`]: heads * headDim,
    [`blk.${i}.attn_k.${part}`]: kvHeads * headDim,
    [`blk.${i}.attn_v.${part}`]: kvHeads * headDim,
  }
}

/** The three parts of what `packedHeads` gives, queries and keys normalised head by head. */
export function normedHeads({ g, config, p }: Decoder, i: number, packed: Value): Heads {
  const { heads, kvHeads, headDim, normEpsilon: epsilon } = config
  const sizes = [heads * headDim, kvHeads * headDim, kvHeads * headDim]
  const [query, key, value] = g.op('Split', [packed, g.integers(sizes)], { axis: -1 })
  if (!key || !value) throw new TypeError('Split gave too few parts')
  const normed = (x: Value, count: number, name: string) => {
    const [byHead] = g.op('Reshape', [x, g.integers([0, 0, count, headDim])], {}) // [batch, seq, count, headDim]
    const scaled = rmsNorm(g, byHead, norm(g, p, `blk.${i}.${name}.weight`, { size: headDim, epsilon }))
    return g.op('Reshape', [scaled, g.integers([0, 0, count * headDim])], {})[0]
  }
  return [normed(query, heads, 'attn_q_norm'), normed(key, kvHeads, 'attn_k_norm'), value]
}

/** Queries, keys and values: packed, or each by itself [batch, seq, count · headDim]. */
export type Heads = readonly [Value] | readonly [Value, Value, Value]

export interface AttentionOptions {
  readonly positions: Positions
  readonly rope: Rope
  /** Whether a head turns neighbouring elements together, not those half a head apart. */
  readonly interleaved: boolean
  readonly scale: number
  /** Tokens that one sees, itself included; all if left out. */
  readonly window?: number | undefined
  /** Scores are capped as softcap · tanh(score / softcap). */
  readonly softcap?: number | undefined
}

/**
 * Grouped-query attention (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245) over the KV cache of layer i, and the
 * projection of what it gives.
 * @returns [batch, seq, hidden]
 */
export function attend({ g, config, p }: Decoder, i: number, heads: Heads, options: AttentionOptions): Value {
  const { kvHeads, headDim, hiddenSize } = config
  const { positions, rope, interleaved, scale, window, softcap } = options
  const [query, key = null, value = null] = heads
  const cache = ['batch', kvHeads, 'capacity', headDim]
  const pastKey = g.input(`past.${i}.key`, 'float32', cache)
  const pastValue = g.input(`past.${i}.value`, 'float32', cache)
  const [attended, presentKey, presentValue] = g.op(
    'GroupQueryAttention',
    [query, key, value, pastKey, pastValue, positions.lengthsMinusOne, positions.totalLength, rope.cos, rope.sin],
    {
      num_heads: config.heads,
      kv_num_heads: kvHeads,
      do_rotary: 1,
      rotary_interleaved: interleaved ? 1 : 0,
      scale,
      ...(window !== undefined && { local_window_size: window }),
      ...(softcap !== undefined && { softcap }),
    },
  )
  if (!presentKey || !presentValue) throw new TypeError('attention gave no KV cache')
  g.output(presentKey, `present.${i}.key`)
  g.output(presentValue, `present.${i}.value`)
  return linear(g, attended, p.matrix(config.heads * headDim, `blk.${i}.attn_output.weight`, hiddenSize))
}

/** down(activation(gate(x)) · up(x)) (Shazeer 2020, https://arxiv.org/abs/2002.05202) */
export function gatedMlp({ g, config, p }: Decoder, i: number, x: Value, activation: (gate: Value) => Value): Value {
  const { hiddenSize, ffnSize } = config
  const both = { [`blk.${i}.ffn_gate.weight`]: ffnSize, [`blk.${i}.ffn_up.weight`]: ffnSize }
  const gateAndUp = stackedLinear(g, x, p.stack(hiddenSize, both)) // [batch, seq, 2 · ffn]
  const [gate, up] = g.op('Split', [gateAndUp, g.integers([ffnSize, ffnSize])], { axis: -1 })
  if (!up) throw new TypeError('Split gave one part')
  const [product] = g.op('Mul', [activation(gate), up], {})
  return linear(g, product, p.matrix(ffnSize, `blk.${i}.ffn_down.weight`, hiddenSize))
}

/** The MLP with SiLU, the gate of Llama and Qwen. */
export const swiGlu = (decoder: Decoder, i: number, x: Value): Value =>
  gatedMlp(decoder, i, x, (gate) => decoder.g.op('QuickGelu', [gate], { alpha: 1 })[0])

/** Logits of the rows asked for: residual [batch, seq, hidden], logitRows [rows] → [rows, vocabulary] */
export function logitsOf(decoder: Decoder, residual: Value, logitRows: Value, table: Table): Value {
  const { g, config, p } = decoder
  const { hiddenSize, vocabularySize } = config
  const [flat] = g.op('Reshape', [residual, g.integers([-1, hiddenSize])], {}) // [batch · seq, hidden]
  const [rows] = g.op('Gather', [flat, logitRows], { axis: 0 }) // [rows, hidden]
  const normed = rmsNorm(g, rows, hiddenNorm(decoder, 'output_norm.weight'))
  const output: Matrix = config.tiedEmbeddings ? table : p.matrix(hiddenSize, 'output.weight', vocabularySize)
  return linear(g, normed, output)
}
