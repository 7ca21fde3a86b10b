/** Points around one of a latent space. */

/**
 * Points between `mean` and ones drawn from the prior N(0, 1), with the prior's spread all the way:
 * √(1 − s²) · mean + s · noise.
 * @param strength s, from 0 to 1
 * @param noise normal numbers, one after the other
 */
export function vary(
  mean: readonly number[],
  { n, strength, noise }: { readonly n: number; readonly strength: number; readonly noise: () => number },
): number[][] {
  const kept = Math.sqrt(1 - strength ** 2)
  return Array.from({ length: n }, () => mean.map((value) => kept * value + strength * noise()))
}
