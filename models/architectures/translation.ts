/**
 * The transformer that translates (Vaswani et al. 2017, arXiv:1706.03762), for training: norms come before what they are
 * for (Xiong et al. 2020, arXiv:2002.04745), and source, target and output layer share one table (Press and Wolf 2017,
 * arXiv:1608.05859). Lines of a batch hold several sentences one after the other, which do not see each other, so that
 * little is filled up. `published-translation.ts` has the graphs that translate.
 */
import { add, dimsOf, mul, reshape, transpose } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { dropout } from '../nn/dropout.ts'
import { type Layers, linear } from '../nn/layers.ts'
import { maskedAttention } from '../nn/masked-attention.ts'
import { smoothedCrossEntropy } from '../nn/smoothed-loss.ts'
import type { Initial, WeightSpec } from '../nn/trainable.ts'

export interface TranslationConfig {
  readonly vocabulary: number
  readonly width: number
  readonly heads: number
  /** Of the layer between the two of a feed-forward block. */
  readonly hidden: number
  readonly encoderLayers: number
  readonly decoderLayers: number
  /** Tokens that a sentence may have, its end included. */
  readonly positions: number
}

/** A side of a batch: int64 [lines, length] each. */
export interface Side {
  readonly ids: Value
  /** Of each token in its sentence, from 0. */
  readonly places: Value
  /** The number of each token's sentence in its line; source and target have the same. What fills up has one of its own. */
  readonly sentences: Value
}

export interface TranslationBatch {
  readonly source: Side
  /** What the decoder reads: the token before each. */
  readonly target: Side
  /** int64 [lines · length]: the token that comes next. */
  readonly next: Value
  /** float32 [lines · length]: what each counts. */
  readonly weights: Value
  /**
   * What dropout keeps, if there is any: rows [·, width] of 0 and 1 / (1 − rate), and which of them each token of each
   * place has, int64 [lines · length] at a time.
   */
  readonly kept?: { readonly rows: Value; readonly pick: (tokens: number) => Value }
}

export const EPSILON = 1e-5
const normal = (deviation: number): Initial => ({ kind: 'normal', deviation })
/** Of a matrix [out, in] (Glorot and Bengio 2010). */
const glorot = (inputs: number, outputs: number): Initial => ({
  kind: 'uniform',
  bound: Math.sqrt(6 / (inputs + outputs)),
})
const constant = (value: number): Initial => ({ kind: 'constant', value })

/** [vocabulary, width] */
export const embeddingSpec = ({ vocabulary, width }: TranslationConfig): WeightSpec => ({
  name: 'embedding.weight',
  shape: [vocabulary, width],
  initial: normal(1 / Math.sqrt(width)),
})

/** Sines and cosines of the places, [positions, width]: the first half of a row has sines. */
export function sinusoids({ positions, width }: Pick<TranslationConfig, 'positions' | 'width'>): Float32Array {
  const half = width / 2
  return Float32Array.from({ length: positions * width }, (_, i) => {
    const [place, column] = [Math.floor(i / width), i % width]
    const angle = place * 10_000 ** (-(column % half) / half)
    return column < half ? Math.sin(angle) : Math.cos(angle)
  })
}

interface Building extends Layers {
  readonly config: TranslationConfig
  readonly kept: TranslationBatch['kept']
}

function layerNorm({ g, weights }: Layers, name: string, x: Value): Value {
  const shape = [Number(x.shape.at(-1))]
  const scale = weights.weight({ name: `${name}.weight`, shape, initial: constant(1) })
  const shift = weights.weight({ name: `${name}.bias`, shape, initial: constant(0) })
  return g.op('LayerNormalization', [x, scale, shift], { axis: -1, epsilon: EPSILON })[0]
}

const project = (b: Building, name: string, x: Value, out: number): Value =>
  linear(b, name, x, out, { initial: glorot(Number(x.shape[1]), out) })

/** x [tokens, width], some of it left out */
function dropped({ g, kept }: Building, x: Value): Value {
  if (!kept) return x
  const [tokens = 1] = dimsOf(x)
  return dropout(g, x, g.op('Gather', [kept.rows, kept.pick(tokens)], {})[0])
}

/** x [lines · length, parts · width] → parts of [lines, heads, length, width / heads] */
function headsOf({ g, config: { heads, width } }: Building, x: Value, lines: number, parts: number): readonly Value[] {
  const length = (dimsOf(x)[0] ?? 1) / lines
  const turned = transpose(g, reshape(g, x, [lines, length, parts, heads, width / heads]), [2, 0, 3, 1, 4])
  const split = parts === 1 ? [turned] : g.op('Split', [turned, g.integers(Array(parts).fill(1))], { axis: 0 })
  return split.map((part) => reshape(g, part, [lines, heads, length, width / heads]))
}

/** [lines, heads, length, width / heads] → [lines · length, width] */
function together({ g, config: { width } }: Building, x: Value): Value {
  const [lines = 1, , length = 1] = dimsOf(x)
  return reshape(g, transpose(g, x, [0, 2, 1, 3]), [lines * length, width])
}

function selfAttention(b: Building, name: string, x: Value, mask: Value): Value {
  const { width } = b.config
  const packed = project(b, `${name}.attention.qkv`, layerNorm(b, `${name}.attention_norm`, x), 3 * width)
  const [q, k, v] = headsOf(b, packed, dimsOf(mask)[0] ?? 1, 3) as [Value, Value, Value]
  const attended = project(b, `${name}.attention.out`, together(b, maskedAttention(b.g, { q, k, v }, mask)), width)
  return add(b.g, x, dropped(b, attended))
}

function crossAttention(b: Building, name: string, x: Value, { memory, mask }: Read): Value {
  const { width } = b.config
  const lines = dimsOf(mask)[0] ?? 1
  const [q] = headsOf(b, project(b, `${name}.cross.q`, layerNorm(b, `${name}.cross_norm`, x), width), lines, 1)
  const [k, v] = headsOf(b, project(b, `${name}.cross.kv`, memory, 2 * width), lines, 2)
  const heads = { q, k, v } as { q: Value; k: Value; v: Value }
  const attended = project(b, `${name}.cross.out`, together(b, maskedAttention(b.g, heads, mask)), width)
  return add(b.g, x, dropped(b, attended))
}

interface Read {
  /** What the encoder gives, [lines · length, width]. */
  readonly memory: Value
  readonly mask: Value
}

function feedForward(b: Building, name: string, x: Value): Value {
  const wide = project(b, `${name}.ffn.in`, layerNorm(b, `${name}.ffn_norm`, x), b.config.hidden)
  const narrow = project(b, `${name}.ffn.out`, b.g.op('Relu', [wide], {})[0], b.config.width)
  return add(b.g, x, dropped(b, narrow))
}

/** Of both sides at once, so that the table is looked up once: [lines · length, width] each. */
function embed(b: Building, table: Value, sides: readonly Side[]): readonly Value[] {
  const { g, config } = b
  const flat = (which: 'ids' | 'places') => {
    const all = sides.map((side) => reshape(g, side[which], [lengthOf(side)]))
    return all.length === 1 ? (all[0] as Value) : g.op('Concat', all, { axis: 0 })[0]
  }
  const { positions, width } = config
  const waves = g.shared('sinusoids', 'float32', [positions, width], () => sinusoids(config))
  const words = mul(g, g.op('Gather', [table, flat('ids')], {})[0], Math.sqrt(width))
  const x = dropped(b, add(g, words, g.op('Gather', [waves, flat('places')], {})[0]))
  return sides.length === 1 ? [x] : g.op('Split', [x, g.integers(sides.map(lengthOf))], { axis: 0 })
}

const lengthOf = ({ ids }: Side): number => dimsOf(ids).reduce((a, b) => a * b, 1)

/** [lines, 1, queries, keys]: 0 within a sentence, and −10⁹ elsewhere. */
function sameSentence(g: GraphBuilder, queries: Side, keys: Side): Value {
  const [lines = 1, rows = 1] = dimsOf(queries.sentences)
  const [, columns = 1] = dimsOf(keys.sentences)
  const [same] = g.op(
    'Equal',
    [reshape(g, queries.sentences, [lines, 1, rows, 1]), reshape(g, keys.sentences, [lines, 1, 1, columns])],
    {},
  )
  const constantOf = (x: number) => g.shared(`scalar[${x}]`, 'float32', [], () => Float32Array.of(x))
  return g.op('Where', [same, constantOf(0), constantOf(-1e9)], {})[0]
}

/** [length, length]: a token sees itself and what is before it. */
const causal = (g: GraphBuilder, length: number): Value =>
  g.shared(`causal[${length}]`, 'float32', [length, length], () =>
    Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
  )

/** The loss with smoothed targets, and the plain one: sums over the batch's tokens by their weights, [] each. */
export function translationLoss(
  layers: Layers,
  config: TranslationConfig,
  batch: TranslationBatch,
  smoothing: number,
): readonly [loss: Value, plain: Value] {
  const { g, weights } = layers
  const { source, target, next } = batch
  const b: Building = { ...layers, config, kept: batch.kept }
  const table = weights.weight(embeddingSpec(config))
  let [x, y] = embed(b, table, [source, target]) as [Value, Value]
  const withinSource = sameSentence(g, source, source)
  for (let i = 0; i < config.encoderLayers; i++) {
    x = feedForward(b, `encoder.${i}`, selfAttention(b, `encoder.${i}`, x, withinSource))
  }
  const read = { memory: layerNorm(b, 'encoder.norm', x), mask: sameSentence(g, target, source) }
  const before = add(g, sameSentence(g, target, target), causal(g, dimsOf(target.ids)[1] ?? 1))
  for (let i = 0; i < config.decoderLayers; i++) {
    const name = `decoder.${i}`
    y = feedForward(b, name, crossAttention(b, name, selfAttention(b, name, y, before), read))
  }
  const targets = { classes: next, weights: batch.weights, smoothing }
  return smoothedCrossEntropy(g, layerNorm(b, 'decoder.norm', y), table, targets)
}
