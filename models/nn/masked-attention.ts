/**
 * Attention with a mask that is added to the scores, and a gradient of its own: its inner sum is that of dO · O, which is
 * shorter than that of dP · P (Dao et al. 2022, arXiv:2205.14135, appendix B).
 */
import { add, dimsOf, matMul, mul, neg, sum } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

export interface Heads {
  /** [batch, heads, queries, width] */
  readonly q: Value
  /** [batch, heads, keys, width] */
  readonly k: Value
  readonly v: Value
}

/** @param mask [batch, 1, queries, keys], 0 where a key is seen → as q */
export function maskedAttention(g: GraphBuilder, { q, k, v }: Heads, mask: Value): Value {
  const [, , , width = 1] = dimsOf(q)
  const scale = 1 / Math.sqrt(width)
  return g.part([q, k, v], () => {
    const scores = matMul(g, q, k, { transB: true, alpha: scale })
    const [probabilities] = g.op('Softmax', [add(g, scores, mask)], { axis: -1 })
    const output = matMul(g, probabilities, v)
    const gradient = ([dO]: readonly (Value | undefined)[]) => {
      if (!dO) return []
      const dP = matMul(g, dO, v, { transB: true })
      const dS = mul(g, probabilities, add(g, dP, neg(g, sum(g, mul(g, dO, output), [-1]))))
      return [
        matMul(g, dS, k, { alpha: scale }),
        matMul(g, dS, q, { transA: true, alpha: scale }),
        matMul(g, probabilities, dO, { transA: true }),
      ]
    }
    return { outputs: [output], gradient }
  })[0]
}
