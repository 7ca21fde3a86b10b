/** What a model is told to make, as the vector that its graph takes. */
import { sfc32 } from '../random/normal.ts'
import { hashedWords } from './hashed-words.ts'

/** The same seed draws noise elsewhere; these are other numbers. */
const ANOTHER = 0x9e3779b9

export type Conditions =
  | { readonly kind: 'text'; readonly size: number }
  | { readonly kind: 'classes'; readonly names: readonly string[] }

/** Of the vector. */
export const sizeOf = (conditions: Conditions): number =>
  conditions.kind === 'text' ? conditions.size : conditions.names.length

/**
 * A text becomes its hashed words. Of classes, the one of that name, and for the empty text any of them, by the seed.
 * @param seed a whole number of 32 bits
 * @returns [size]; null if there is no class of that name
 */
export function conditionOf(conditions: Conditions, prompt: string, seed: number): Float32Array | null {
  if (conditions.kind === 'text') return hashedWords(prompt, conditions.size)
  const { names } = conditions
  const wanted = prompt.trim().toLowerCase()
  const found =
    wanted === ''
      ? Math.floor(sfc32(seed ^ ANOTHER)() * names.length)
      : names.findIndex((name) => name.toLowerCase() === wanted)
  if (found < 0) return null
  const vector = new Float32Array(names.length)
  vector[found] = 1
  return vector
}
