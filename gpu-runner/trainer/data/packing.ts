/** Sentences of many lengths in lines of one length: little is filled up, and one graph does for all. */

export interface PackedPair {
  /** Tokens, with the one that ends them. */
  readonly source: readonly number[]
  readonly target: readonly number[]
}

export interface LineLengths {
  readonly source: number
  readonly target: number
}

/** Lines that are looked through for one with room. */
const OPEN = 32

export const fits = ({ source, target }: PackedPair, lengths: LineLengths): boolean =>
  source.length <= lengths.source && target.length <= lengths.target

/**
 * Pairs in lines, each in the first with room for it.
 * @param pairs each of which fits a line
 */
export function pack(pairs: readonly PackedPair[], lengths: LineLengths): readonly (readonly PackedPair[])[] {
  const lines: PackedPair[][] = []
  let open: { line: PackedPair[]; source: number; target: number }[] = []
  for (const pair of pairs) {
    const { source, target } = pair
    let place = open.find((line) => line.source >= source.length && line.target >= target.length)
    if (!place) {
      // The fullest is closed.
      if (open.length === OPEN) {
        const fullest = open.reduce((a, b) => (b.target < a.target ? b : a))
        open = open.filter((line) => line !== fullest)
      }
      place = { line: [], source: lengths.source, target: lengths.target }
      open.push(place)
      lines.push(place.line)
    }
    place.line.push(pair)
    place.source -= source.length
    place.target -= target.length
  }
  return lines
}
