/**
 * Causal attention with a gradient of its own. Queries are taken in blocks, each with the keys up to its end: of the
 * matrix of scores, half is never computed. The gradient's inner sum is that of dO · O, which is shorter than that of
 * dP · P (Dao et al. 2022, arXiv:2205.14135, appendix B).
 */
import { add, dimsOf, matMul, mul, neg, reshape, sum } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

/** Blocks of queries. */
const BLOCKS = 4

/**
 * q [batch, heads, length, width], k and v [batch, kvHeads, length, width] → as q. Of `heads / kvHeads` neighbouring
 * heads, which have keys in common, the queries are rows of one product (Ainslie et al. 2023, arXiv:2305.13245).
 */
export function causalAttention(g: GraphBuilder, q: Value, k: Value, v: Value): Value {
  const [batch = 1, heads = 1, length = 1, width = 1] = dimsOf(q)
  const [, kvHeads = 1] = dimsOf(k)
  const scale = 1 / Math.sqrt(width)
  const blocks = length % BLOCKS === 0 && length >= 16 * BLOCKS ? BLOCKS : 1
  const size = length / blocks
  const groups = heads / kvHeads
  /** [batch, heads, length, width] → the queries of each block, [batch, kvHeads, groups · size, width] */
  const split = (x: Value): readonly Value[] => {
    const grouped = reshape(g, x, [batch, kvHeads, groups, length, width])
    const parts = blocks === 1 ? [grouped] : g.op('Split', [grouped, g.integers(Array(blocks).fill(size))], { axis: 3 })
    return parts.map((part) => reshape(g, part, [batch, kvHeads, groups * size, width]))
  }
  /** The inverse of `split`. */
  const join = (parts: readonly Value[]): Value => {
    const grouped = parts.map((part) => reshape(g, part, [batch, kvHeads, groups, size, width]))
    const [joined] = grouped.length === 1 ? grouped : g.op('Concat', grouped, { axis: 3 })
    return reshape(g, joined as Value, [batch, heads, length, width])
  }
  return g.part([q, k, v], () => {
    const made = split(q).map((query, i) => {
      const end = (i + 1) * size
      const [keys, values] = [upTo(g, k, end), upTo(g, v, end)]
      const scores = matMul(g, query, keys, { transB: true, alpha: scale })
      const [probabilities] = g.op('Softmax', [add(g, scores, causalMask(g, { groups, size, end }))], { axis: -1 })
      return { query, keys, values, probabilities, output: matMul(g, probabilities, values) }
    })
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const parts = split(dy)
      const found = made.map(({ query, keys, values, probabilities, output }, i) => {
        const dO = parts[i] as Value
        // dP − sum(dO · O) as one product: a column more on either side.
        const less = neg(g, sum(g, mul(g, dO, output), [-1]))
        const [wide] = g.op('Concat', [dO, less], { axis: -1 })
        const [wideValues] = g.op('Concat', [values, onesOf(g, values)], { axis: -1 })
        const dS = mul(g, probabilities, matMul(g, wide, wideValues, { transB: true }))
        return {
          dq: matMul(g, dS, keys, { alpha: scale }),
          dk: matMul(g, dS, query, { transA: true, alpha: scale }),
          dv: matMul(g, probabilities, dO, { transA: true }),
        }
      })
      const all = (which: 'dq' | 'dk' | 'dv') => found.map((part) => part[which])
      return [join(all('dq')), total(g, all('dk'), length), total(g, all('dv'), length)]
    }
    return { outputs: [join(made.map(({ output }) => output))], gradient }
  })[0]
}

/** The first positions. */
function upTo(g: GraphBuilder, x: Value, end: number): Value {
  if (x.shape[2] === end) return x
  return g.op('Slice', [x, g.integers([0]), g.integers([end]), g.integers([2])], {})[0]
}

/** The sum of parts that each cover the first positions, [batch, heads, ≤ length, width] each. */
function total(g: GraphBuilder, parts: readonly Value[], length: number): Value {
  const padded = parts.map((part) => {
    const [, , covered = 1] = dimsOf(part)
    return covered === length ? part : g.op('Pad', [part, g.integers([0, 0, 0, 0, 0, 0, length - covered, 0])], {})[0]
  })
  return padded.length === 1 ? (padded[0] as Value) : g.op('Sum', padded, {})[0]
}

/** [groups · size, end]: a query sees the keys up to itself; the last query is the last key. */
function causalMask(g: GraphBuilder, { groups, size, end }: { groups: number; size: number; end: number }): Value {
  const rows = groups * size
  return g.shared(`causal[${rows},${size},${end}]`, 'float32', [rows, end], () =>
    Float32Array.from({ length: rows * end }, (_, i) => {
      const [query, key] = [Math.floor(i / end) % size, i % end]
      return key > query + end - size ? -1e9 : 0
    }),
  )
}

/** A column of ones beside x [batch, heads, length, width]. */
function onesOf(g: GraphBuilder, x: Value): Value {
  const [batch = 1, heads = 1, length = 1] = dimsOf(x)
  const elements = batch * heads * length
  return g.shared(`ones[${batch},${heads},${length},1]`, 'float32', [batch, heads, length, 1], () =>
    new Float32Array(elements).fill(1),
  )
}
