/** Many items, given to a model some at a time: what it computes from them has to fit into memory. */

const PIECE_ELEMENTS = 1 << 18

/** @param size float32 values of one item */
export function* pieces<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  const each = Math.max(1, Math.floor(PIECE_ELEMENTS / size))
  for (let at = 0; at < items.length; at += each) yield items.slice(at, at + each)
}

/** Items of one length, one after the other. */
export function joined(items: readonly Float32Array[]): Float32Array {
  const length = items[0]?.length ?? 0
  const out = new Float32Array(items.length * length)
  for (const [i, item] of items.entries()) out.set(item, i * length)
  return out
}
