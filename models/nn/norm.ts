/** RMSNorm (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467): x / sqrt(mean(x²) + epsilon) · scale. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import type { Parameters } from './parameters.ts'

/** The scale of one norm, as the checkpoint has it. */
export interface Norm {
  readonly scale: Value
  readonly epsilon: number
}

export interface NormOptions {
  readonly size: number
  readonly epsilon: number
}

export function norm(g: GraphBuilder, p: Parameters, name: string, { size, epsilon }: NormOptions): Norm {
  const scale = p.vector(name, size)
  return { scale: g.weight(name, 'float32', [size], () => scale), epsilon }
}

/** x [..., size] → the same */
export function rmsNorm(g: GraphBuilder, x: Value, { scale, epsilon }: Norm): Value {
  return g.op('SimplifiedLayerNormalization', [x, scale], { axis: -1, epsilon, stash_type: 1 })[0]
}

/** [norm(residual + x), residual + x] in one pass over memory */
export function addAndNorm(g: GraphBuilder, residual: Value, x: Value, { scale, epsilon }: Norm): [Value, Value] {
  const [normed, sum] = g.op('SkipSimplifiedLayerNormalization', [residual, x, scale], { epsilon })
  if (!sum) throw new TypeError('SkipSimplifiedLayerNormalization gave no sum')
  return [normed, sum]
}
