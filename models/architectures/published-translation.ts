/**
 * A trained transformer that translates (translation.ts), as two graphs whose matrices have 8 bits: by blocks, as files keep
 * them, or by rows, as they are multiplied with here.
 *
 *   encoder  ids int64 [batch, length] · places int64 [length], which are 0, 1, … · seen int32 [batch, length], 1 for a
 *            sentence's tokens and 0 for what fills it up
 *            → memory.{i}.key, memory.{i}.value [batch, heads, length, headDim], for each layer of the decoder
 *   decoder  one token of each hypothesis, of which every sentence has the same number, `beam`:
 *            ids int64 [batch · beam] · place int64 [1] · parents int64 [batch · beam], the hypothesis of the step before
 *            that each continues · grid int64 [batch, beam], which is 0, 1, … · seen, memory.{i}.key, memory.{i}.value
 *            · past.{i}.key, past.{i}.value [hypotheses before, heads, past, headDim]
 *            → present.{i}.key, present.{i}.value [batch · beam, heads, past + 1, headDim] · tokens int64 and
 *            scores float32 [batch · beam, CANDIDATES]: the likeliest next tokens, the best first, and the logarithms of
 *            their probabilities
 */
import { add, mul, transpose } from '../graph/arithmetic.ts'
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { stackedLinear } from '../nn/linear.ts'
import { BLOCK_SIZE } from '../nn/parameters.ts'
import { quantizedMatrix } from '../nn/quantize.ts'
import { rowLinear } from '../nn/row-linear.ts'
import type { Checkpoint } from './published.ts'
import { EPSILON, embeddingSpec, sinusoids, type TranslationConfig } from './translation.ts'

/** Next tokens that are told of each hypothesis: twice the widest beam, so that there are enough that end nothing. */
export const CANDIDATES = 16

/** What of a matrix has a scale in common. */
export type Scales = 'blocks' | 'rows'

interface Publishing {
  readonly g: GraphBuilder
  readonly config: TranslationConfig
  readonly checkpoint: Checkpoint
  readonly scales: Scales
}

function weightOf({ checkpoint }: Publishing, name: string, elements: number): Float32Array {
  const data = checkpoint.get(name)
  if (data?.length !== elements) throw new TypeError(`the checkpoint has no ${name} of ${elements} elements`)
  return data
}

const vector = (p: Publishing, name: string, length: number): Value =>
  p.g.shared(name, 'float32', [length], () => weightOf(p, name, length))

/** x [.., columns] → [.., rows]; weight [rows, columns] and bias [rows] */
function linear(p: Publishing, name: string, x: Value, rows: number): Value {
  const columns = Number(x.shape.at(-1))
  const elements = () => weightOf(p, `${name}.weight`, rows * columns)
  const bias = vector(p, `${name}.bias`, rows)
  const matrix = { name: `${name}.weight`, rows, columns }
  if (p.scales === 'rows') return rowLinear(p.g, x, { ...matrix, load: elements }, bias)
  const blocks = { ...matrix, bits: 8 as const, load: () => quantizedMatrix(elements()) }
  return stackedLinear(p.g, x, [blocks], { activations: 'float32', bias })
}

function layerNorm(p: Publishing, name: string, x: Value): Value {
  const { g, config } = p
  const [scale, shift] = ['weight', 'bias'].map((part) => vector(p, `${name}.${part}`, config.width))
  return g.op('LayerNormalization', [x, scale as Value, shift as Value], { axis: -1, epsilon: EPSILON })[0]
}

const feedForward = (p: Publishing, name: string, x: Value): Value => {
  const wide = linear(p, `${name}.ffn.in`, layerNorm(p, `${name}.ffn_norm`, x), p.config.hidden)
  return add(p.g, x, linear(p, `${name}.ffn.out`, p.g.op('Relu', [wide], {})[0], p.config.width))
}

/** The table of embeddings, which is the output layer too: of blocks once in the file. */
function tableOf(p: Publishing) {
  const { g, config } = p
  const { vocabulary: rows, width: columns } = config
  const blocks = columns / BLOCK_SIZE
  const { name } = embeddingSpec(config)
  const elements = weightOf(p, name, rows * columns)
  const { codes, scales } = quantizedMatrix(elements)
  const codesOf = g.weight(`${name}.codes`, 'uint8', [rows, blocks, BLOCK_SIZE], () => codes)
  const scalesOf = g.weight(`${name}.scales`, 'float32', [rows, blocks], () => scales)
  return {
    /** ids [..] → [.., width], with the sines of their places added */
    embed(ids: Value, places: Value): Value {
      const [flat] = g.op('Reshape', [codesOf, g.integers([rows, columns])], {})
      const attributes = { bits: 8, block_size: BLOCK_SIZE, gather_axis: 0, quantize_axis: 1 }
      const [words] = g.op('GatherBlockQuantized', [flat, ids, scalesOf], attributes)
      const waves = g.weight('sinusoids', 'float32', [config.positions, columns], () => sinusoids(config))
      return add(g, mul(g, words, Math.sqrt(columns)), g.op('Gather', [waves, places], {})[0])
    },
    /** x [.., width] → [.., vocabulary] */
    logits(x: Value): Value {
      if (p.scales === 'rows') return rowLinear(g, x, { name, rows, columns, load: () => elements })
      const attributes = { K: columns, N: rows, bits: 8, block_size: BLOCK_SIZE, accuracy_level: 4 }
      return g.op('MatMulNBits', [x, codesOf, scalesOf], attributes)[0]
    },
  }
}

export function translationEncoder(
  config: TranslationConfig,
  checkpoint: Checkpoint,
  scales: Scales = 'blocks',
): Graph {
  const g = new GraphBuilder('translation-encoder')
  const p = { g, config, checkpoint, scales }
  const { width, heads } = config
  const ids = g.input('ids', 'int64', ['batch', 'length'])
  const places = g.input('places', 'int64', ['length'])
  const seen = g.input('seen', 'int32', ['batch', 'length'])
  let x = tableOf(p).embed(ids, places)
  for (let i = 0; i < config.encoderLayers; i++) {
    const name = `encoder.${i}`
    const packed = linear(p, `${name}.attention.qkv`, layerNorm(p, `${name}.attention_norm`, x), 3 * width)
    const [q, k, v] = g.op('Split', [packed, g.integers([width, width, width])], { axis: -1 })
    const [attended] = g.op('MultiHeadAttention', [q, k as Value, v as Value, null, seen], { num_heads: heads })
    x = feedForward(p, name, add(g, x, linear(p, `${name}.attention.out`, attended, width)))
  }
  const memory = layerNorm(p, 'encoder.norm', x)
  for (let i = 0; i < config.decoderLayers; i++) {
    const both = linear(p, `decoder.${i}.cross.kv`, memory, 2 * width)
    for (const [which, part] of g.op('Split', [both, g.integers([width, width])], { axis: -1 }).entries()) {
      const [byHead] = g.op('Reshape', [part, g.integers([0, 0, heads, width / heads])], {})
      g.output(transpose(g, byHead, [0, 2, 1, 3]), `memory.${i}.${which === 0 ? 'key' : 'value'}`)
    }
  }
  return g.build()
}

const HYPOTHESES = 'batch*beam'

export function translationDecoder(
  config: TranslationConfig,
  checkpoint: Checkpoint,
  scales: Scales = 'blocks',
): Graph {
  const g = new GraphBuilder('translation-decoder')
  const p = { g, config, checkpoint, scales }
  const { width, heads } = config
  const headDim = width / heads
  const ids = g.input('ids', 'int64', [HYPOTHESES])
  const place = g.input('place', 'int64', [1])
  const parents = g.input('parents', 'int64', [HYPOTHESES])
  const grid = g.input('grid', 'int64', ['batch', 'beam'])
  const seen = g.input('seen', 'int32', ['batch', 'length'])
  const table = tableOf(p)
  let x = table.embed(ids, place) // [batch · beam, width]
  const alone = (value: Value, columns: number) => g.op('Reshape', [value, g.integers([-1, 1, columns])], {})[0]
  const flat = (value: Value) => g.op('Reshape', [value, g.integers([-1, width])], {})[0]
  for (let i = 0; i < config.decoderLayers; i++) {
    const name = `decoder.${i}`
    const cache = (which: string) => {
      const past = g.input(`past.${i}.${which}`, 'float32', ['hypotheses', heads, 'past', headDim])
      return g.op('Gather', [past, parents], {})[0]
    }
    const packed = linear(p, `${name}.attention.qkv`, layerNorm(p, `${name}.attention_norm`, x), 3 * width)
    const [q, k, v] = g.op('Split', [alone(packed, 3 * width), g.integers([width, width, width])], { axis: -1 })
    const own = [q, k as Value, v as Value, null, null, null, cache('key'), cache('value')]
    const [attended, key, value] = g.op('MultiHeadAttention', own, { num_heads: heads })
    g.output(key as Value, `present.${i}.key`)
    g.output(value as Value, `present.${i}.value`)
    x = add(g, x, linear(p, `${name}.attention.out`, flat(attended), width))
    // Hypotheses of one sentence read the same memory: they are its queries.
    const asked = linear(p, `${name}.cross.q`, layerNorm(p, `${name}.cross_norm`, x), width)
    const [queries] = g.op('Gather', [asked, grid], {})
    const memory = (which: string) => g.input(`memory.${i}.${which}`, 'float32', ['batch', heads, 'length', headDim])
    const read = [queries, memory('key'), memory('value'), null, seen]
    const [found] = g.op('MultiHeadAttention', read, { num_heads: heads })
    x = feedForward(p, name, add(g, x, linear(p, `${name}.cross.out`, flat(found), width)))
  }
  const logits = table.logits(layerNorm(p, 'decoder.norm', x))
  const [logProbabilities] = g.op('LogSoftmax', [logits], { axis: -1 })
  const best = { axis: -1, largest: 1, sorted: 1 }
  const [scores, tokens] = g.op('TopK', [logProbabilities, g.integers([CANDIDATES])], best)
  g.output(tokens as Value, 'tokens')
  g.output(scores, 'scores')
  return g.build()
}
