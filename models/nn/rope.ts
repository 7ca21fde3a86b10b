/** Rotary position embedding (Su et al. 2021, https://arxiv.org/abs/2104.09864), as tables for GroupQueryAttention. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { cast } from './cast.ts'

export interface RopeOptions {
  readonly positions: number
  readonly headDim: number
  readonly base: number
  /** What positions are divided by, so that more of them fit between the angles of training. */
  readonly stretch: number
  /** What each frequency is divided by, [headDim / 2]: Llama 3.1's way to a long context. */
  readonly divisors?: Float32Array | undefined
  /** Of the tables: that of the heads they turn. */
  readonly element: 'float32' | 'float16'
}

/** The weights of one rotary embedding, [positions, headDim / 2] each. */
export interface Rope {
  readonly cos: Value
  readonly sin: Value
}

/** @param name what the weights' names begin with: those of one name are the same */
export function ropeWeights(g: GraphBuilder, name: string, options: RopeOptions): Rope {
  const { cos, sin } = ropeTables(options)
  const shape = [options.positions, options.headDim / 2]
  return {
    cos: cast(
      g,
      g.shared(`${name}.cos`, 'float32', shape, () => cos),
      options.element,
    ),
    sin: cast(
      g,
      g.shared(`${name}.sin`, 'float32', shape, () => sin),
      options.element,
    ),
  }
}

/** Angles position · base^(−2j / headDim), computed in double precision. */
function ropeTables({ positions, headDim, base, stretch, divisors }: RopeOptions) {
  const half = headDim / 2
  const cos = new Float32Array(positions * half)
  const sin = new Float32Array(positions * half)
  for (let j = 0; j < half; j++) {
    const frequency = base ** ((-2 * j) / headDim) / (stretch * (divisors?.[j] ?? 1))
    for (let position = 0; position < positions; position++) {
      cos[position * half + j] = Math.cos(position * frequency)
      sin[position * half + j] = Math.sin(position * frequency)
    }
  }
  return { cos, sin }
}
