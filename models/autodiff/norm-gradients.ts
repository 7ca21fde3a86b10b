/** Gradients of norms over the last axis. */
import { add, dimsOf, div, mean, mul, sqrt, sub, sumTo } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import { GraphError } from '../graph/error.ts'
import type { Value } from '../graph/graph.ts'

/** Of x, scale and bias. (Ba, Kiros, Hinton 2016, arXiv:1607.06450) */
export function layerNormGradient(
  g: GraphBuilder,
  [x, scale, bias]: readonly Value[],
  [, mu, inverse]: readonly Value[],
  dy: Value,
): readonly (Value | undefined)[] {
  if (!x || !scale || !mu || !inverse) throw new GraphError('LayerNormalization: its statistics are gone')
  const normed = mul(g, sub(g, x, mu), inverse)
  const dNormed = mul(g, dy, scale)
  const along = mul(g, normed, mean(g, mul(g, dNormed, normed), [-1]))
  const dx = mul(g, inverse, sub(g, sub(g, dNormed, mean(g, dNormed, [-1])), along))
  return [dx, sumTo(g, mul(g, dy, normed), dimsOf(scale)), bias && sumTo(g, dy, dimsOf(bias))]
}

/** Of x and scale. */
export function rmsNormGradient(
  g: GraphBuilder,
  x: Value,
  scale: Value,
  { dy, epsilon }: { dy: Value; epsilon: number },
): readonly [Value, Value] {
  const inverse = div(g, 1, sqrt(g, add(g, mean(g, mul(g, x, x), [-1]), epsilon)))
  const normed = mul(g, x, inverse)
  const dNormed = mul(g, dy, scale)
  const dx = mul(g, inverse, sub(g, dNormed, mul(g, normed, mean(g, mul(g, dNormed, normed), [-1]))))
  return [dx, sumTo(g, mul(g, dy, normed), dimsOf(scale))]
}
