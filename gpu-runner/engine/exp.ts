/**
 * e to the power of `x` for x ≤ 0, within 3 · 10⁻⁸ of itself, and 0 below −64: a tenth of the time of `Math.exp`, which
 * sampling from a whole vocabulary would mostly consist of. x = −n · ln 2 / 64 + f; a table for the first part, three
 * terms of Taylor's series for the second.
 */
const LEAST = -64
const STEPS = 64 / Math.LN2
const STEP = Math.LN2 / 64
const TABLE = Float64Array.from({ length: Math.ceil(-LEAST * STEPS) + 1 }, (_, n) => 2 ** (-n / 64))

export function expNegative(x: number): number {
  if (!(x >= LEAST)) return 0
  const n = (0.5 - x * STEPS) | 0
  const f = x + n * STEP
  return (TABLE[n] as number) * (1 + f + 0.5 * f * f)
}
