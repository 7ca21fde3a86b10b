/** Rotary position embedding (Su et al. 2021, https://arxiv.org/abs/2104.09864), as tables for GroupQueryAttention. */

export interface RopeTables {
  /** [positions, headDim / 2] */
  readonly cos: Float32Array
  readonly sin: Float32Array
}

/** Angles position · base^(−2j / headDim), computed in double precision. */
export function ropeTables(positions: number, headDim: number, base: number): RopeTables {
  const half = headDim / 2
  const cos = new Float32Array(positions * half)
  const sin = new Float32Array(positions * half)
  for (let j = 0; j < half; j++) {
    const frequency = base ** ((-2 * j) / headDim)
    for (let position = 0; position < positions; position++) {
      cos[position * half + j] = Math.cos(position * frequency)
      sin[position * half + j] = Math.sin(position * frequency)
    }
  }
  return { cos, sin }
}
