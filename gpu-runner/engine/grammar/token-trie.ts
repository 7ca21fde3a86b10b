/** A vocabulary as a tree of bytes, flat, in depth-first order: a subtree that nothing matches is skipped in one step. */

export interface TokenTrie {
  /** Of tokens; ids run from 0. */
  readonly size: number
  /** By node: its byte, its depth, the node after its subtree, and the token that ends there, or −1. */
  readonly bytes: Uint8Array
  readonly depths: Uint16Array
  readonly ends: Uint32Array
  readonly tokens: Int32Array
  /** Tokens of the same bytes as another one. */
  readonly twins: ReadonlyMap<number, readonly number[]>
}

/** @param bytesOf the bytes of a token; one without any has no place in a text */
export function createTokenTrie(size: number, bytesOf: (token: number) => Uint8Array): TokenTrie {
  const all: { token: number; bytes: Uint8Array }[] = []
  for (let token = 0; token < size; token++) {
    const bytes = bytesOf(token)
    if (bytes.length > 0) all.push({ token, bytes })
  }
  all.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.token - b.token)
  const most = all.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const bytes = new Uint8Array(most)
  const depths = new Uint16Array(most)
  const ends = new Uint32Array(most)
  const tokens = new Int32Array(most).fill(-1)
  const twins = new Map<number, number[]>()
  /** The nodes on the way to the last token. */
  const path: number[] = []
  let count = 0
  let before: Uint8Array = new Uint8Array()
  for (const { token, bytes: own } of all) {
    let common = 0
    while (common < before.length && common < own.length && before[common] === own[common]) common++
    for (const node of path.splice(common)) ends[node] = count
    for (let depth = common; depth < own.length; depth++) {
      bytes[count] = own[depth] as number
      depths[count] = depth
      path.push(count++)
    }
    const node = path.at(-1) as number
    const other = tokens[node] as number
    if (other < 0) tokens[node] = token
    else twins.set(other, [...(twins.get(other) ?? []), token])
    before = own
  }
  for (const node of path) ends[node] = count
  return {
    size,
    bytes: bytes.slice(0, count),
    depths: depths.slice(0, count),
    ends: ends.slice(0, count),
    tokens: tokens.slice(0, count),
    twins,
  }
}
