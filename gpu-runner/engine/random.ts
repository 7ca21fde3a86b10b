/**
 * Random numbers that depend on a seed and a counter alone, so that a generation can be taken up again at any token.
 * SplitMix64 (Steele, Lea & Flood 2014, https://doi.org/10.1145/2714064.2660195).
 */
const GAMMA = 0x9e3779b97f4a7c15n

/** The `counter`-th output (from 0) of SplitMix64 seeded with `seed`, as 64 bits. */
export function splitMix64(seed: bigint, counter: number): bigint {
  let z = BigInt.asUintN(64, seed + GAMMA * BigInt(counter + 1))
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
  return z ^ (z >> 31n)
}

/** A number in [0, 1), uniform, with 53 random bits. */
export function uniform(seed: number, counter: number): number {
  return Number(splitMix64(BigInt(seed), counter) >> 11n) / 2 ** 53
}
