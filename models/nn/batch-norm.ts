/**
 * Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167). Training normalises by the batch, and keeps running
 * statistics as PyTorch does, with a momentum of 0.1; a trained model normalises by those.
 */
import { add, dimsOf, div, matMul, mul, reshape, sqrt, sub } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import type { Layers, Maps } from './layers.ts'
import type { Initial } from './trainable.ts'

const EPSILON = 1e-5
/** What a batch counts in the running statistics. */
export const MOMENTUM = 0.1
const constant = (value: number): Initial => ({ kind: 'constant', value })

export interface BatchNormOptions {
  readonly training: boolean
  /** Of the scale; the bias is zero at first. */
  readonly initial?: Initial
}

/** Weight and bias [channels], buffers running_mean and running_var [channels]. */
export function batchNorm(layers: Layers, name: string, maps: Maps, { training, initial }: BatchNormOptions): Maps {
  const { g, weights, layout } = layers
  const shape = [maps.channels]
  const scale = weights.weight({ name: `${name}.weight`, shape, initial: initial ?? constant(1) })
  const bias = weights.weight({ name: `${name}.bias`, shape, initial: constant(0) })
  const mean = weights.buffer({ name: `${name}.running_mean`, shape, initial: constant(0) })
  const variance = weights.buffer({ name: `${name}.running_var`, shape, initial: constant(1) })
  if (!training) {
    const factor = div(g, scale, sqrt(g, add(g, variance, EPSILON)))
    const offset = sub(g, bias, mul(g, mean, factor))
    const broadcast = (value: Value) => (layout === 'rows' ? value : reshape(g, value, [maps.channels, 1, 1]))
    return { ...maps, value: add(g, mul(g, maps.value, broadcast(factor)), broadcast(offset)) }
  }
  if (layout === 'planes') throw new TypeError('batch normalisation is trained on rows of pixels')
  const [value, batchMean, batchVariance] = normalised(g, maps.value, scale, bias)
  const [pixels = 1] = dimsOf(maps.value)
  const moved = (running: Value, now: Value) =>
    add(g, mul(g, running, 1 - MOMENTUM), mul(g, reshape(g, now, shape), MOMENTUM))
  weights.update(`${name}.running_mean`, moved(mean, batchMean))
  weights.update(`${name}.running_var`, moved(variance, mul(g, batchVariance, pixels / (pixels - 1))))
  return { ...maps, value }
}

/** x [rows, channels] → the same, normalised over the rows; and their mean and variance, [1, channels] each. */
function normalised(g: GraphBuilder, x: Value, scale: Value, bias: Value): readonly [Value, Value, Value] {
  const [rows = 1, channels = 1] = dimsOf(x)
  const ones = g.shared(`ones[${rows}]`, 'float32', [1, rows], () => new Float32Array(rows).fill(1))
  const sums = (value: Value) => matMul(g, ones, value)
  return g.part([x, scale, bias], () => {
    const mean = mul(g, sums(x), 1 / rows)
    const centred = sub(g, x, mean)
    const variance = mul(g, sums(mul(g, centred, centred)), 1 / rows)
    const inverse = div(g, 1, sqrt(g, add(g, variance, EPSILON)))
    const factor = mul(g, inverse, reshape(g, scale, [1, channels]))
    const y = add(g, mul(g, centred, factor), bias)
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const dBias = sums(dy)
      const dFactor = sums(mul(g, dy, centred))
      const along = mul(g, mul(g, mul(g, inverse, inverse), dFactor), 1 / rows)
      const dx = mul(g, sub(g, sub(g, dy, mul(g, dBias, 1 / rows)), mul(g, centred, along)), factor)
      return [dx, reshape(g, mul(g, dFactor, inverse), [channels]), reshape(g, dBias, [channels])]
    }
    return { outputs: [y, mean, variance], gradient }
  })
}
