/** What a model of text is trained by: an output layer that shares its weights with the embedding, and the loss on it. */
import { add, dimsOf, exp, matMul, mul, reshape, sub, sum, sumAll } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

/** Rows whose logits are in memory at a time. */
const ROWS = 512

export interface Targets {
  /** The class of each row, int64 [rows]. */
  readonly classes: Value
  /** What each row counts, float32 [rows]: 0 where there is none. */
  readonly weights: Value
  /** Share of the target that is spread over all classes (Szegedy et al. 2016, arXiv:1512.00567). */
  readonly smoothing: number
}

/**
 * The weighted sum over rows of the cross-entropy of the logits x · tableᵀ with smoothed targets, and of the plain one,
 * [] each; nothing is learned through the latter.
 * @param x [rows, width]
 * @param table [classes, width]
 */
export function smoothedCrossEntropy(
  g: GraphBuilder,
  x: Value,
  table: Value,
  { classes, weights, smoothing }: Targets,
): readonly [loss: Value, plain: Value] {
  const [rows = 1] = dimsOf(x)
  const [count = 1] = dimsOf(table)
  const sizes = chunks(rows)
  const split = (value: Value): readonly Value[] =>
    sizes.length === 1 ? [value] : g.op('Split', [value, g.integers(sizes)], { axis: 0 })
  return g.part([x, table], () => {
    const [inputs, columns, counted] = [
      split(x),
      split(reshape(g, classes, [rows, 1])),
      split(reshape(g, weights, [rows, 1])),
    ]
    const parts = inputs.map((input, i) => {
      const [column, weight] = [columns[i] as Value, counted[i] as Value]
      const [logProbabilities] = g.op('LogSoftmax', [matMul(g, input, table, { transB: true })], { axis: -1 })
      const [picked] = g.op('GatherElements', [logProbabilities, column], { axis: 1 })
      const plain = mul(g, sumAll(g, mul(g, picked, weight)), -1)
      const spread = mul(g, sumAll(g, mul(g, sum(g, logProbabilities, [-1]), weight)), -smoothing / count)
      return { input, column, weight, logProbabilities, plain, loss: add(g, mul(g, plain, 1 - smoothing), spread) }
    })
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const found = parts.map(({ input, column, weight, logProbabilities }) => {
        const [height = 1] = dimsOf(input)
        const away = sub(g, exp(g, logProbabilities), smoothing / count)
        const less = g.shared(`filled[${smoothing - 1},${height}]`, 'float32', [height, 1], () =>
          new Float32Array(height).fill(smoothing - 1),
        )
        const [dLogits] = g.op('ScatterElements', [away, column, less], { axis: 1, reduction: 'add' })
        // A row's weight is a factor of its gradients: they are shorter than its logits.
        const factor = mul(g, weight, dy)
        return {
          dx: mul(g, matMul(g, dLogits, table), factor),
          dTable: matMul(g, dLogits, mul(g, input, factor), { transA: true }),
        }
      })
      const dxs = found.map(({ dx }) => dx)
      const dx = dxs.length === 1 ? (dxs[0] as Value) : g.op('Concat', dxs, { axis: 0 })[0]
      return [dx, found.map(({ dTable }) => dTable).reduce((a, b) => add(g, a, b))]
    }
    const total = (which: 'loss' | 'plain') => parts.map((part) => part[which]).reduce((a, b) => add(g, a, b))
    return { outputs: [total('loss'), total('plain')], gradient }
  })
}

/** Sizes of equal parts, but for the last. */
const chunks = (rows: number): readonly number[] =>
  Array.from({ length: Math.ceil(rows / ROWS) }, (_, i) => Math.min(ROWS, rows - i * ROWS))
