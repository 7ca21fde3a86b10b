/**
 * A text as a vector of fixed length without a vocabulary: its words and their pieces of three to five letters, hashed
 * to places and signs (Weinberger et al. 2009, arXiv:0902.2206; pieces as in Bojanowski et al. 2017, arXiv:1607.04606).
 * Words that were never seen share pieces with ones that were. What a generator is told to draw, here and at the edge.
 */

/** Shares of a word itself and of all its pieces together in what it adds. */
const WORD = 1
const PIECES = 1
const SHORTEST = 3
const LONGEST = 5

/** @returns [size], of length 1; zeros if the text has no letter or digit */
export function hashedWords(text: string, size: number): Float32Array {
  const vector = new Float32Array(size)
  for (const word of wordsOf(text)) {
    add(vector, word, WORD)
    const pieces = piecesOf(`<${word}>`)
    for (const piece of pieces) add(vector, piece, PIECES / Math.sqrt(pieces.length))
  }
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((value) => value / length)
}

function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKD')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

function piecesOf(word: string): string[] {
  const letters = [...word]
  const pieces: string[] = []
  for (let length = SHORTEST; length <= Math.min(LONGEST, letters.length); length++) {
    for (let at = 0; at + length <= letters.length; at++) pieces.push(letters.slice(at, at + length).join(''))
  }
  return pieces
}

function add(vector: Float32Array, feature: string, weight: number): void {
  const hash = fnv1a(feature)
  const at = (hash >>> 1) % vector.length
  vector[at] = (vector[at] ?? 0) + (hash & 1 ? weight : -weight)
}

/** FNV-1a of 32 bits over UTF-8 (Fowler, Noll and Vo). */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
