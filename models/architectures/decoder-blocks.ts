/**
 * The blocks that the decoders share. Parameter names are those of a GGUF checkpoint.
 *
 * A decoder is two graphs. One computes keys and values for many tokens of one sequence, the other one token for each of
 * many sequences, and what comes after it. The KV cache is an input and an output of the same shape, to be bound to the
 * same memory: attention writes the new positions in place.
 *
 *   inputs   input_ids [1, tokens] · lengths_minus_one [batch] · total_length []
 *            past.{i}.key, past.{i}.value [batch, kvHeads, capacity, headDim]
 *   outputs  present.{i}.key, present.{i}.value; to decode, logits [1, tokens, vocabulary]
 *
 * To prefill, `batch` is 1; to decode, it is `tokens`.
 */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { dimAt } from '../graph/infer.ts'
import { cast } from '../nn/cast.ts'
import { stackedLinear } from '../nn/linear.ts'
import { addAndNorm, type Norm, norm, rmsNorm } from '../nn/norm.ts'
import type { Matrix, Parameters } from '../nn/parameters.ts'
import { type Rope, ropeWeights } from '../nn/rope.ts'

/** On a CPU float32 is quicker and exact; on CUDA attention has no kernel for it. */
export type KvElement = 'float32' | 'float16'

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
  /** What attention and its KV cache compute in. All else is float32. */
  readonly kvElement: KvElement
}

export type Phase = 'prefill' | 'decode'

/** A checkpoint on its way into a graph. */
export interface Decoder<Config extends DecoderConfig = DecoderConfig> {
  readonly g: GraphBuilder
  readonly config: Config
  readonly p: Parameters
  readonly phase: Phase
}

/** An architecture: the graph for one checkpoint. Throws if a parameter is missing or of the wrong shape. */
export type Architecture<Config extends DecoderConfig = DecoderConfig> = (
  config: Config,
  p: Parameters,
  phase: Phase,
) => Graph

export type Table = ReturnType<Parameters['table']>

/** The inputs that tell attention how far each sequence is. */
export interface Positions {
  readonly lengthsMinusOne: Value
  readonly totalLength: Value
}

export const tokenInput = (g: GraphBuilder): Value => g.input('input_ids', 'int64', [1, 'tokens'])

export const positionInputs = ({ g, phase }: Decoder): Positions => ({
  lengthsMinusOne: g.input('lengths_minus_one', 'int32', [batchOf(phase)]),
  totalLength: g.input('total_length', 'int32', []),
})

const batchOf = (phase: Phase) => (phase === 'prefill' ? 1 : 'tokens')

/** What `linear` makes of each matrix, side by side: x [1, tokens, columns] → [1, tokens, rows of all] */
const project = ({ g, config, phase }: Decoder, x: Value, matrices: readonly Matrix[], bias?: Value): Value =>
  stackedLinear(g, x, matrices, {
    activations: phase === 'prefill' || config.kvElement === 'float16' ? 'float32' : 'two-int8',
    bias,
  })

export const embeddingTable = ({ config, p }: Decoder): Table =>
  p.table(config.hiddenSize, 'token_embd.weight', config.vocabularySize)

/** A norm over the hidden size. */
export const hiddenNorm = ({ g, config, p }: Decoder, name: string): Norm =>
  norm(g, p, name, { size: config.hiddenSize, epsilon: config.normEpsilon })

/** The rotary embedding that the checkpoint's own keys describe. */
export function checkpointRope({ g, config, p }: Decoder): Rope {
  const { contextLength: positions, headDim, ropeBase: base, ropeStretch: stretch, ropeDivisors } = config
  const element = config.kvElement
  const divisors = ropeDivisors ? p.vector('rope_freqs.weight', headDim / 2) : undefined
  return ropeWeights(g, 'rope', { positions, headDim, base, stretch, divisors, element })
}

/** The block from the second half of a layer: what is added to the residual stream, x [1, tokens, hidden] → the same. */
export type Block = (i: number, x: Value) => Value

/**
 * Layers that normalise what they read: residual + attention(norm(residual)), then the same with the gated MLP.
 * @param embedded the embedded tokens, [1, tokens, hidden]
 * @returns what the last layer leaves, [1, tokens, hidden]
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

/** Queries, keys and values side by side: x [1, tokens, hidden] → [1, tokens, (heads + 2 · kvHeads) · headDim] */
export function packedHeads(decoder: Decoder, i: number, x: Value, bias?: Value): Value {
  const { config, p } = decoder
  return project(decoder, x, p.stack(config.hiddenSize, headRows(config, i, 'weight')), bias)
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
    const [byHead] = g.op('Reshape', [x, g.integers([0, 0, count, headDim])], {}) // [1, tokens, count, headDim]
    const scaled = rmsNorm(g, byHead, norm(g, p, `blk.${i}.${name}.weight`, { size: headDim, epsilon }))
    return g.op('Reshape', [scaled, g.integers([0, 0, count * headDim])], {})[0]
  }
  return [normed(query, heads, 'attn_q_norm'), normed(key, kvHeads, 'attn_k_norm'), value]
}

/** Queries, keys and values: packed, or each by itself [1, tokens, count · headDim]. */
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
 * @returns [1, tokens, hidden]
 */
export function attend(decoder: Decoder, i: number, heads: Heads, options: AttentionOptions): Value {
  const { g, config, p, phase } = decoder
  const { kvHeads, headDim, hiddenSize, kvElement } = config
  const { positions, rope, interleaved, scale, window, softcap } = options
  // To decode, each token is of another sequence.
  const bySequence = (x: Value): Value =>
    phase === 'prefill' ? x : g.op('Reshape', [x, g.integers([-1, 1, Number(dimAt(x, -1))])], {})[0]
  const byToken = (x: Value): Value =>
    phase === 'prefill' ? x : g.op('Reshape', [x, g.integers([1, -1, Number(dimAt(x, -1))])], {})[0]
  const [query, key, value] = heads.map((head) => cast(g, bySequence(head), kvElement))
  if (!query) throw new TypeError('attention has no heads')
  const cache = [batchOf(phase), kvHeads, 'capacity', headDim]
  const pastKey = g.input(`past.${i}.key`, kvElement, cache)
  const pastValue = g.input(`past.${i}.value`, kvElement, cache)
  const [attended, presentKey, presentValue] = g.op(
    'GroupQueryAttention',
    [
      query,
      key ?? null,
      value ?? null,
      pastKey,
      pastValue,
      positions.lengthsMinusOne,
      positions.totalLength,
      rope.cos,
      rope.sin,
    ],
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
  const output = p.matrix(config.heads * headDim, `blk.${i}.attn_output.weight`, hiddenSize)
  return project(decoder, byToken(cast(g, attended, 'float32')), [output])
}

/** down(activation(gate(x)) · up(x)) (Shazeer 2020, https://arxiv.org/abs/2002.05202) */
export function gatedMlp(decoder: Decoder, i: number, x: Value, activation: (gate: Value) => Value): Value {
  const { g, config, p } = decoder
  const { hiddenSize, ffnSize } = config
  const both = { [`blk.${i}.ffn_gate.weight`]: ffnSize, [`blk.${i}.ffn_up.weight`]: ffnSize }
  const gateAndUp = project(decoder, x, p.stack(hiddenSize, both)) // [1, tokens, 2 · ffn]
  const [gate, up] = g.op('Split', [gateAndUp, g.integers([ffnSize, ffnSize])], { axis: -1 })
  if (!up) throw new TypeError('Split gave one part')
  const [product] = g.op('Mul', [activation(gate), up], {})
  return project(decoder, product, [p.matrix(ffnSize, `blk.${i}.ffn_down.weight`, hiddenSize)])
}

/** The MLP with SiLU, the gate of Llama and Qwen. */
export const swiGlu = (decoder: Decoder, i: number, x: Value): Value =>
  gatedMlp(decoder, i, x, (gate) => decoder.g.op('QuickGelu', [gate], { alpha: 1 })[0])

/** residual [1, tokens, hidden] → logits [1, tokens, vocabulary] */
export function logitsOf(decoder: Decoder, residual: Value, table: Table): Value {
  const { g, config, p } = decoder
  const { hiddenSize, vocabularySize } = config
  const normed = rmsNorm(g, residual, hiddenNorm(decoder, 'output_norm.weight'))
  const output: Matrix = config.tiedEmbeddings ? table : p.matrix(hiddenSize, 'output.weight', vocabularySize)
  return project(decoder, normed, [output])
}
