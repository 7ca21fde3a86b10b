/**
 * Causal attention with a gradient of its own. Queries are taken in blocks, each with the keys up to its end: of the
 * matrix of scores, half is never computed. The gradient's inner sum is that of dO · O, which is shorter than that of
 * dP · P (Dao et al. 2022, arXiv:2205.14135, appendix B).
 */
import { add, dimsOf, matMul, mul, sub, sum } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

/** Queries in a block; fewer than two blocks are not worth it. */
const BLOCKS = 4

/** q, k, v [batch, heads, length, width] → the same */
export function causalAttention(g: GraphBuilder, q: Value, k: Value, v: Value): Value {
  const [, , length = 1, width = 1] = dimsOf(q)
  const scale = 1 / Math.sqrt(width)
  const blocks = length % BLOCKS === 0 && length >= 16 * BLOCKS ? BLOCKS : 1
  const size = length / blocks
  return g.part([q, k, v], () => {
    const ends = Array.from({ length: blocks }, (_, i) => (i + 1) * size)
    const queries = split(g, q, blocks)
    const made = ends.map((end, i) => {
      const [query, keys, values] = [queries[i] as Value, upTo(g, k, end), upTo(g, v, end)]
      const scores = matMul(g, query, keys, { transB: true, alpha: scale })
      const [probabilities] = g.op('Softmax', [add(g, scores, causalMask(g, size, end))], { axis: -1 })
      return { query, keys, values, probabilities, output: matMul(g, probabilities, values) }
    })
    const outputs = made.map(({ output }) => output)
    const output = outputs.length === 1 ? (outputs[0] as Value) : g.op('Concat', outputs, { axis: 2 })[0]
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const parts = split(g, dy, blocks)
      const found = made.map(({ query, keys, values, probabilities, output: o }, i) => {
        const dO = parts[i] as Value
        const dP = matMul(g, dO, values, { transB: true })
        const dS = mul(g, probabilities, sub(g, dP, sum(g, mul(g, dO, o), [-1])))
        return {
          dq: matMul(g, dS, keys, { alpha: scale }),
          dk: matMul(g, dS, query, { transA: true, alpha: scale }),
          dv: matMul(g, probabilities, dO, { transA: true }),
        }
      })
      const dq =
        found.length === 1
          ? (found[0]?.dq as Value)
          : g.op(
              'Concat',
              found.map(({ dq }) => dq),
              { axis: 2 },
            )[0]
      return [
        dq,
        total(
          g,
          found.map(({ dk }) => dk),
          length,
        ),
        total(
          g,
          found.map(({ dv }) => dv),
          length,
        ),
      ]
    }
    return { outputs: [output], gradient }
  })[0]
}

const split = (g: GraphBuilder, x: Value, blocks: number): readonly Value[] =>
  blocks === 1 ? [x] : g.op('Split', [x, g.integers(Array(blocks).fill((dimsOf(x)[2] ?? 1) / blocks))], { axis: 2 })

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

/** [size, end]: a query sees the keys up to itself; the last query is the last key. */
function causalMask(g: GraphBuilder, size: number, end: number): Value {
  return g.shared(`causal[${size},${end}]`, 'float32', [size, end], () =>
    Float32Array.from({ length: size * end }, (_, i) => {
      const [query, key] = [Math.floor(i / end), i % end]
      return key > query + end - size ? -1e9 : 0
    }),
  )
}
