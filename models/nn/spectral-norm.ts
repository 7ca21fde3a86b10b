/** Spectral normalisation (Miyato et al. 2018, arXiv:1802.05957): weights divided by their largest singular value. */
import { add, div, matMul, reshape, sqrt, sumAll, sumOfSquares } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import type { Weights } from './trainable.ts'

/** The same weights, those of two dimensions or more divided; one round of power iteration a step. */
export function spectralNorm(g: GraphBuilder, weights: Weights): Weights {
  const divided = new Map<string, Value>()
  return {
    ...weights,
    weight(spec) {
      const known = divided.get(spec.name)
      if (known) return known
      const weight = weights.weight(spec)
      if (weight.shape.length !== 2) return weight
      const columns = Number(weight.shape[1])
      const initial = { kind: 'normal', deviation: 1 } as const
      const before = weights.buffer({ name: `${spec.name}.direction`, shape: [columns], initial })
      // Both directions are constants to the gradient: sigma = leftᵀ · weight · right.
      const [left, right] = g.part([before], () => {
        const one = unit(g, matMul(g, weight, reshape(g, before, [columns, 1])))
        const other = unit(g, matMul(g, one, weight, { transA: true }))
        return { outputs: [one, reshape(g, other, [columns, 1])], gradient: null }
      })
      weights.update(`${spec.name}.direction`, reshape(g, right, [columns]))
      const sigma = sumAll(g, matMul(g, left, matMul(g, weight, right), { transA: true }))
      const value = div(g, weight, sigma)
      divided.set(spec.name, value)
      return value
    },
  }
}

/** A vector of length 1. */
const unit = (g: GraphBuilder, x: Value): Value => div(g, x, add(g, sqrt(g, sumOfSquares(g, x)), 1e-12))
