/** Gradients of norms over the last axis. */
import { dimsOf, matMul, mul, reshape, sub, sumTo } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import { GraphError } from '../graph/error.ts'
import type { Value } from '../graph/graph.ts'

/**
 * Of x, scale and bias (Ba, Kiros, Hinton 2016, arXiv:1607.06450). Means along rows are products with a vector, which ONNX
 * Runtime computes many times faster than ReduceMean.
 */
export function layerNormGradient(
  g: GraphBuilder,
  [x, scale, bias]: readonly Value[],
  [, mu, inverse]: readonly Value[],
  dy: Value,
): readonly (Value | undefined)[] {
  if (!x || !scale || !mu || !inverse) throw new GraphError('LayerNormalization: its statistics are gone')
  const normed = mul(g, sub(g, x, mu), inverse)
  const byNormed = mul(g, dy, normed)
  const means = (value: Value) => mul(g, alongRows(g, value, scale), 1 / Number(x.shape.at(-1)))
  const centred = sub(g, sub(g, mul(g, dy, scale), means(dy)), mul(g, normed, means(byNormed)))
  return [mul(g, inverse, centred), sumTo(g, byNormed, dimsOf(scale)), bias && sumTo(g, dy, dimsOf(bias))]
}

/** Of x and scale. @param inverse one over the root of the mean square */
export function rmsNormGradient(
  g: GraphBuilder,
  x: Value,
  scale: Value,
  { dy, inverse }: { dy: Value; inverse: Value },
): readonly [Value, Value] {
  const normed = mul(g, x, inverse)
  const byNormed = mul(g, dy, normed)
  const mean = mul(g, alongRows(g, byNormed, scale), 1 / Number(x.shape.at(-1)))
  const dx = mul(g, inverse, sub(g, mul(g, dy, scale), mul(g, normed, mean)))
  return [dx, sumTo(g, byNormed, dimsOf(scale))]
}

/** Each row's product with a vector: [..., width] → [..., 1] */
const alongRows = (g: GraphBuilder, rows: Value, vector: Value): Value =>
  matMul(g, rows, reshape(g, vector, [Number(vector.shape[0]), 1]))
