/**
 * Merging neighbours, the pair of the least rank first and of equals the leftmost, until none is left that merges. A heap
 * and a linked list make it O(n log n) in the number of parts, which a caller chooses.
 */
import { MinHeap } from './min-heap.ts'

/** A heap entry is rank · MOST_PARTS + position; both stay exact in a double. */
const MOST_PARTS = 2 ** 26
const GONE = -1

export interface Merging {
  /** The rank, a whole number, of the parts that begin at `left` and at `right`, the latter up to `end`; or none. */
  rank(left: number, right: number, end: number): number | undefined
  /** Called as a pair of this rank becomes one part, which begins at `left`. */
  merged?(left: number, rank: number): void
}

/**
 * @param length parts, at positions from 0
 * @returns where what is left of them begins
 */
export function mergeParts(length: number, { rank, merged }: Merging): number[] {
  if (length >= MOST_PARTS) throw new RangeError(`${length} parts to merge are over ${MOST_PARTS}`)
  const next = Int32Array.from({ length }, (_, i) => i + 1)
  const previous = Int32Array.from({ length }, (_, i) => i - 1)
  const rankAt = (at: number): number | undefined => {
    const right = next[at] as number
    return right < length ? rank(at, right, next[right] as number) : undefined
  }
  const heap = new MinHeap()
  const offer = (at: number) => {
    const found = rankAt(at)
    if (found !== undefined) heap.push(found * MOST_PARTS + at)
  }
  for (let at = 0; at < length - 1; at++) offer(at)
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const at = top % MOST_PARTS
    const found = (top - at) / MOST_PARTS
    // An entry outlives its pair when a neighbour was merged first.
    if (next[at] === GONE || rankAt(at) !== found) continue
    const right = next[at] as number
    const after = next[right] as number
    next[right] = GONE
    next[at] = after
    if (after < length) previous[after] = at
    merged?.(at, found)
    if (at > 0) offer(previous[at] as number)
    offer(at)
  }
  const starts: number[] = []
  for (let at = 0; at < length; at = next[at] as number) starts.push(at)
  return starts
}
