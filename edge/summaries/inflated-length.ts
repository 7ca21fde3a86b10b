/**
 * How much a deflated stream (RFC 1951) unpacks to, without unpacking it: blocks are walked through and lengths added up, so
 * that it takes no memory, and no longer than reading what is packed. The decoding is that of Mark Adler's puff.
 */
const MOST_BITS = 15
const END_OF_BLOCK = 256
const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]
/** In which order the lengths of the codes of code lengths stand. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Codes by their lengths. */
interface Codes {
  /** How many there are of each length. */
  readonly counts: Uint16Array
  /** In the order of their codes. */
  readonly symbols: Uint16Array
}

/** It ends, or is damaged, here. */
class Broken extends Error {
  override readonly name = 'Broken'
}

/** @returns bytes; more than `most` as soon as it is more; of what is damaged as far as it can be read */
export function inflatedLength(packed: Uint8Array, most: number): number {
  const walk = new Walk(packed)
  try {
    while (walk.length <= most && walk.block(most));
  } catch (error) {
    if (!(error instanceof Broken)) throw error
  }
  return walk.length
}

class Walk {
  length = 0
  readonly #bytes: Uint8Array
  /** In bits. */
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Whether another follows. */
  block(most: number): boolean {
    const isLast = this.#bits(1) === 1
    const kind = this.#bits(2)
    if (kind === 0) this.#stored()
    else if (kind === 1) this.#coded(FIXED.literals, FIXED.distances, most)
    else if (kind === 2) this.#coded(...this.#codes(), most)
    else throw new Broken()
    return !isLast
  }

  #stored(): void {
    this.#at = (this.#at + 7) & ~7
    const count = this.#bits(16)
    if (this.#bits(16) !== (~count & 0xffff)) throw new Broken()
    this.#at += 8 * count
    const missing = Math.max(0, (this.#at >> 3) - this.#bytes.length)
    this.length += count - missing
    if (missing > 0) throw new Broken()
  }

  #coded(literals: Codes, distances: Codes, most: number): void {
    while (this.length <= most) {
      const symbol = this.#symbol(literals)
      if (symbol === END_OF_BLOCK) return
      if (symbol < END_OF_BLOCK) {
        this.length++
        continue
      }
      const extra = LENGTH_BITS[symbol - 257]
      if (extra === undefined) throw new Broken()
      const length = (LENGTHS[symbol - 257] ?? 0) + this.#bits(extra)
      const further = DISTANCE_BITS[this.#symbol(distances)]
      if (further === undefined) throw new Broken()
      this.#bits(further)
      this.length += length
    }
  }

  /** Those of literals and lengths, and those of distances, that stand before a block. */
  #codes(): [Codes, Codes] {
    const literals = this.#bits(5) + 257
    const distances = this.#bits(5) + 1
    const order = this.#bits(4) + 4
    const own = new Uint8Array(ORDER.length)
    for (const place of ORDER.slice(0, order)) own[place] = this.#bits(3)
    const codes = codesOf(own)
    const lengths = new Uint8Array(literals + distances)
    for (let at = 0; at < lengths.length; ) {
      const symbol = this.#symbol(codes)
      if (symbol < 16) {
        lengths[at++] = symbol
        continue
      }
      if (symbol === 16 && at === 0) throw new Broken()
      const repeated = symbol === 16 ? (lengths[at - 1] ?? 0) : 0
      const times = symbol === 16 ? 3 + this.#bits(2) : symbol === 17 ? 3 + this.#bits(3) : 11 + this.#bits(7)
      lengths.fill(repeated, at, at + times)
      at += times
    }
    return [codesOf(lengths.subarray(0, literals)), codesOf(lengths.subarray(literals))]
  }

  #symbol({ counts, symbols }: Codes): number {
    let [code, first, index] = [0, 0, 0]
    for (let bits = 1; bits <= MOST_BITS; bits++) {
      code |= this.#bits(1)
      const count = counts[bits] ?? 0
      if (code - count < first) return symbols[index + code - first] ?? 0
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    throw new Broken()
  }

  #bits(count: number): number {
    let value = 0
    for (let bit = 0; bit < count; bit++, this.#at++) {
      const byte = this.#bytes[this.#at >> 3]
      if (byte === undefined) throw new Broken()
      value |= ((byte >> (this.#at & 7)) & 1) << bit
    }
    return value
  }
}

/** @param lengths of the code of each symbol; 0: it has none */
function codesOf(lengths: Uint8Array): Codes {
  const counts = new Uint16Array(MOST_BITS + 1)
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1
  counts[0] = 0
  const places = new Uint16Array(MOST_BITS + 2)
  for (let bits = 1; bits <= MOST_BITS; bits++) places[bits + 1] = (places[bits] ?? 0) + (counts[bits] ?? 0)
  const symbols = new Uint16Array(lengths.length)
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue
    const place = places[length] ?? 0
    symbols[place] = symbol
    places[length] = place + 1
  }
  return { counts, symbols }
}

const FIXED = {
  literals: codesOf(Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
  distances: codesOf(new Uint8Array(30).fill(5)),
}
