/** For simulations: so many seeds in a run, or the one that `SEED` names, to replay it. */
export const SEEDS = 500

export function seeds(): readonly number[] {
  const { SEED: only } = process.env
  return only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)]
}
