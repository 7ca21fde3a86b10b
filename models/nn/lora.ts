/** Adapters of low rank beside a matrix that stays as it is (Hu et al. 2021, arXiv:2106.09685). */
import { matMul } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

export interface Adapter {
  /** [rank, in] */
  readonly a: Value
  /** [out, rank] */
  readonly b: Value
  /** What it counts beside the matrix: PEFT's `lora_alpha / r`. */
  readonly scale: number
}

/** x [rows, in], w [out, in] → x · wᵀ + scale · (x · aᵀ) · bᵀ, [rows, out]. Nothing is learned of w. */
export function adaptedLinear(g: GraphBuilder, x: Value, w: Value, { a, b, scale }: Adapter): Value {
  return g.part([x, a, b], () => {
    const low = matMul(g, x, a, { transB: true }) // [rows, rank]
    const [y] = g.op('Gemm', [low, b, matMul(g, x, w, { transB: true })], { transB: 1, alpha: scale })
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const dLow = matMul(g, dy, b, { alpha: scale })
      const [dx] = g.op('Gemm', [dLow, a, matMul(g, dy, w)], {})
      return [dx, matMul(g, dLow, x, { transA: true }), matMul(g, dy, low, { transA: true, alpha: scale })]
    }
    return { outputs: [y], gradient }
  })[0]
}
