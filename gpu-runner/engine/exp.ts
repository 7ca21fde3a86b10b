/**
 * e to the power of `x` for x ≤ 0, within 3 · 10⁻⁸ of itself: a sixth the time of `Math.exp`, which sampling from a whole
 * vocabulary would mostly consist of. x = k · ln 2 + f with |f| ≤ ln 2 / 2; e^f by its Taylor series.
 */
const SMALLEST = 1074
const POWERS = Float64Array.from({ length: SMALLEST + 1 }, (_, k) => 2 ** -k)

export function expNegative(x: number): number {
  const k = Math.round(-x * Math.LOG2E)
  if (!(k <= SMALLEST)) return 0
  const f = x + k * Math.LN2
  const series = 1 + f * (1 + f * (1 / 2 + f * (1 / 6 + f * (1 / 24 + f * (1 / 120 + f * (1 / 720 + f * (1 / 5040)))))))
  return series * (POWERS[k] as number)
}
