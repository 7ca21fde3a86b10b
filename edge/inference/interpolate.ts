/** Ways between two points of a latent space. */

/**
 * Points at even steps from `from` to `to`, both among them. Spherical: Shoemake's slerp (1985), which keeps the
 * distance from the origin where both have the same; the straight line where the two lie on one line through it, which
 * leaves no plane to turn in.
 * @param steps at least 2
 */
export function interpolate(
  from: readonly number[],
  to: readonly number[],
  { steps, method }: { readonly steps: number; readonly method: 'linear' | 'spherical' },
): number[][] {
  const angle = method === 'spherical' ? angleBetween(from, to) : 0
  const sine = Math.sin(angle)
  return Array.from({ length: steps }, (_, i) => {
    const t = i / (steps - 1)
    // The ends are as they were given, to the bit.
    if (i === 0) return [...from]
    if (i === steps - 1) return [...to]
    const straight = sine < 1e-6
    const [a, b] = straight ? [1 - t, t] : [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine]
    return from.map((value, k) => a * value + b * (to[k] ?? 0))
  })
}

function angleBetween(from: readonly number[], to: readonly number[]): number {
  const product = from.reduce((sum, value, k) => sum + value * (to[k] ?? 0), 0)
  const lengths = Math.hypot(...from) * Math.hypot(...to)
  return lengths === 0 ? 0 : Math.acos(Math.max(-1, Math.min(1, product / lengths)))
}
