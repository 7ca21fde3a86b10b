/**
 * BERT's encoder (Devlin et al. 2019, https://arxiv.org/abs/1810.04805) as a text embedder (Reimers and Gurevych 2019,
 * https://arxiv.org/abs/1908.10084): the mean of what the last layer gives for a text's tokens, of length 1. Parameter
 * names are those of a checkpoint of Hugging Face's `BertModel`.
 *
 *   inputs   input_ids int64 [batch, length] · positions int64 [length], which are 0, 1, … · seen int32 [batch, length], 1
 *            for a text's tokens and 0 for what fills it up
 *   outputs  embeddings [batch, hidden]
 */
import { add, div, mul, sqrt, sum } from '../graph/arithmetic.ts'
import { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { cast } from '../nn/cast.ts'

export interface BertConfig {
  readonly layers: number
  readonly hiddenSize: number
  readonly heads: number
  readonly ffnSize: number
  readonly vocabularySize: number
  /** Tokens that a text may have. */
  readonly positions: number
  readonly segments: number
  readonly normEpsilon: number
}

/** Gives a parameter by its name, as the checkpoint has it. Throws if it is missing or of another shape. */
export type BertParameters = (name: string, shape: readonly number[]) => Float32Array

interface Encoder {
  readonly g: GraphBuilder
  readonly config: BertConfig
  readonly parameters: BertParameters
  readonly seen: Value
}

export function bertEmbedder(config: BertConfig, parameters: BertParameters): Graph {
  const g = new GraphBuilder('bert')
  const ids = g.input('input_ids', 'int64', ['batch', 'length'])
  const positions = g.input('positions', 'int64', ['length'])
  const seen = g.input('seen', 'int32', ['batch', 'length'])
  const encoder = { g, config, parameters, seen }
  let x = embed(encoder, ids, positions)
  for (let i = 0; i < config.layers; i++) x = layer(encoder, `encoder.layer.${i}`, x)
  g.output(unitMean(encoder, x), 'embeddings')
  return g.build()
}

/** Tokens, their places, and that all are of the first segment: [batch, length, hidden] */
function embed({ g, config, parameters }: Encoder, ids: Value, positions: Value): Value {
  const { hiddenSize, vocabularySize, segments, normEpsilon: epsilon } = config
  const words = vector(g, parameters, 'embeddings.word_embeddings.weight', [vocabularySize, hiddenSize])
  const places = g.weight('embeddings.places', 'float32', [config.positions, hiddenSize], () => {
    const place = parameters('embeddings.position_embeddings.weight', [config.positions, hiddenSize])
    const segment = parameters('embeddings.token_type_embeddings.weight', [segments, hiddenSize])
    return place.map((element, i) => element + (segment[i % hiddenSize] ?? 0))
  })
  const [token] = g.op('Gather', [words, ids], {})
  const [place] = g.op('Gather', [places, positions], {})
  const scale = vector(g, parameters, 'embeddings.LayerNorm.weight', [hiddenSize])
  const shift = vector(g, parameters, 'embeddings.LayerNorm.bias', [hiddenSize])
  return g.op('LayerNormalization', [add(g, token, place), scale, shift], { axis: -1, epsilon })[0]
}

/** x [batch, length, hidden] → the same */
function layer(encoder: Encoder, name: string, x: Value): Value {
  const { g, config, parameters, seen } = encoder
  const { hiddenSize, heads, ffnSize } = config
  const parts = ['query', 'key', 'value'].map((part) => `${name}.attention.self.${part}`)
  const heads3 = parts.map((part) => product(encoder, part, x, hiddenSize))
  const biases = g.weight(`${name}.attention.self.bias`, 'float32', [3 * hiddenSize], () =>
    Float32Array.from(parts.flatMap((part) => [...parameters(`${part}.bias`, [hiddenSize])])),
  )
  const [attended] = g.op('MultiHeadAttention', [...heads3, biases, seen], { num_heads: heads })
  const mixed = addAndNorm(encoder, `${name}.attention.output`, attended, x)
  const wide = product(encoder, `${name}.intermediate.dense`, mixed, ffnSize)
  const bias = vector(g, parameters, `${name}.intermediate.dense.bias`, [ffnSize])
  const [active] = g.op('BiasGelu', [wide, bias], {})
  return addAndNorm(encoder, `${name}.output`, active, mixed)
}

/** norm(skip + dense(x)): x [batch, length, inputs], skip [batch, length, hidden] → the same as skip */
function addAndNorm(encoder: Encoder, name: string, x: Value, skip: Value): Value {
  const { g, config, parameters } = encoder
  const { hiddenSize, normEpsilon: epsilon } = config
  const dense = product(encoder, `${name}.dense`, x, hiddenSize)
  const [scale, shift, bias] = ['LayerNorm.weight', 'LayerNorm.bias', 'dense.bias'].map((part) =>
    vector(g, parameters, `${name}.${part}`, [hiddenSize]),
  )
  return g.op('SkipLayerNormalization', [dense, skip, scale as Value, shift as Value, bias as Value], { epsilon })[0]
}

/** x · Wᵀ, without the bias: [batch, length, inputs] → [batch, length, outputs] */
function product({ g, parameters }: Encoder, name: string, x: Value, outputs: number): Value {
  const inputs = Number(x.shape.at(-1))
  const weight = g.weight(`${name}.weight`, 'float32', [inputs, outputs], () =>
    transposed(parameters(`${name}.weight`, [outputs, inputs]), outputs, inputs),
  )
  return g.op('MatMul', [x, weight], {})[0]
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(matrix.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = matrix[row * columns + column] ?? 0
  }
  return turned
}

const vector = (g: GraphBuilder, parameters: BertParameters, name: string, shape: readonly number[]): Value =>
  g.weight(name, 'float32', shape, () => parameters(name, shape))

/** The mean over a text's tokens, divided by its length: [batch, length, hidden] → [batch, hidden] */
function unitMean({ g, config, seen }: Encoder, x: Value): Value {
  const [weights] = g.op('Reshape', [cast(g, seen, 'float32'), g.integers([0, 1, -1])], {})
  const total = g.op('MatMul', [weights, x], {})[0] // [batch, 1, hidden]
  const [flat] = g.op('Reshape', [total, g.integers([0, config.hiddenSize])], {})
  // Of length 1, the sum is the same as the mean.
  return div(g, flat, sqrt(g, sum(g, mul(g, flat, flat), [1])))
}
