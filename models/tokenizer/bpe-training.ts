/**
 * Learns the pieces of a subword vocabulary by byte-pair encoding (Sennrich, Haddow and Birch 2016, arXiv:1508.07909): of
 * all neighbours within words the most frequent pair becomes a piece, again and again. Of equals, the pair that was seen
 * first; so the same texts give the same pieces. Words are cut so that a piece is letters, or one digit, or signs; as in
 * SentencePiece, a space belongs to the word after it and is written U+2581.
 */
import { MinHeap } from './min-heap.ts'

const SPACE = '\u2581'
/** Letters with the apostrophe after them, one digit, or signs, each with the space before it. */
const UNIT = /\u2581?[\p{L}\p{M}]+['’]?|\u2581?\p{N}|\u2581?[^\u2581\p{L}\p{M}\p{N}]+|\u2581/gu
/** Characters that are rarer are made of bytes. */
const LEAST_COUNT = 2
/** A heap entry is pair − count · MOST_PAIRS: the greatest count first, then the first pair. */
const MOST_PAIRS = 2 ** 24

export const pieceText = (text: string): string => SPACE + text.replaceAll(' ', SPACE)

interface Word {
  /** Pieces by their numbers. */
  symbols: number[]
  readonly count: number
}

interface Pair {
  readonly left: number
  readonly right: number
  count: number
  /** Words that have it, or had. */
  readonly words: Set<number>
}

/**
 * @param size pieces to be learned, fewer if the texts have no more
 * @returns characters, the most frequent first, then what was merged of them, in that order
 */
export function learnPieces(texts: Iterable<string>, size: number): string[] {
  const units = new Map<string, number>()
  for (const text of texts) {
    for (const [unit] of pieceText(text).matchAll(UNIT)) units.set(unit, (units.get(unit) ?? 0) + 1)
  }
  const pieces = alphabet(units, size)
  const idOf = new Map(pieces.map((piece, id) => [piece, id]))
  // A character that is no piece parts a word.
  const words: Word[] = []
  for (const [unit, count] of units) {
    let symbols: number[] = []
    for (const character of [...unit, '']) {
      const id = idOf.get(character)
      if (id !== undefined) symbols.push(id)
      else {
        if (symbols.length > 1) words.push({ symbols, count })
        symbols = []
      }
    }
  }
  const pairs = new PairTable(words)
  while (pieces.length < size) {
    const pair = pairs.best()
    if (!pair || pair.count < LEAST_COUNT) break
    const piece = `${pieces[pair.left]}${pieces[pair.right]}`
    // The same text may come of other parts.
    const known = idOf.get(piece)
    const id = known ?? pieces.length
    if (known === undefined) {
      idOf.set(piece, id)
      pieces.push(piece)
    }
    pairs.merge(pair, id)
  }
  return pieces
}

function alphabet(units: ReadonlyMap<string, number>, size: number): string[] {
  const counts = new Map<string, number>()
  for (const [unit, count] of units) {
    for (const character of unit) counts.set(character, (counts.get(character) ?? 0) + count)
  }
  return [...counts]
    .filter(([, count]) => count >= LEAST_COUNT)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, size)
    .map(([character]) => character)
}

/** Counts of neighbours over all words. */
class PairTable {
  readonly #words: readonly Word[]
  readonly #pairs: Pair[] = []
  readonly #ids = new Map<number, number>()
  readonly #heap = new MinHeap()

  constructor(words: readonly Word[]) {
    this.#words = words
    for (const [index, word] of words.entries()) this.#count(word, index, 1)
    for (const [id, { count }] of this.#pairs.entries()) this.#heap.push(id - count * MOST_PAIRS)
  }

  /** The most frequent; undefined if there is none. */
  best(): Pair | undefined {
    for (let top = this.#heap.pop(); top !== undefined; top = this.#heap.pop()) {
      const count = Math.ceil(-top / MOST_PAIRS)
      const pair = this.#pairs[top + count * MOST_PAIRS]
      // An entry outlives a change of the count.
      if (pair && pair.count === count && count > 0) return pair
    }
    return undefined
  }

  /** Has one piece stand for the pair wherever it is. */
  merge({ left, right, words }: Pair, piece: number): void {
    const changed = new Set<number>()
    for (const index of [...words]) {
      const word = this.#words[index]
      if (!word) continue
      this.#count(word, index, -1, changed)
      const { symbols } = word
      const merged: number[] = []
      for (let i = 0; i < symbols.length; i++) {
        const isPair = symbols[i] === left && symbols[i + 1] === right
        merged.push(isPair ? piece : (symbols[i] as number))
        if (isPair) i++
      }
      word.symbols = merged
      this.#count(word, index, 1, changed)
    }
    for (const id of changed) {
      const count = this.#pairs[id]?.count ?? 0
      if (count > 0) this.#heap.push(id - count * MOST_PAIRS)
    }
  }

  #count({ symbols, count }: Word, index: number, sign: 1 | -1, changed?: Set<number>): void {
    for (let i = 0; i + 1 < symbols.length; i++) {
      const [left, right] = [symbols[i] as number, symbols[i + 1] as number]
      const id = this.#idOf(left, right)
      const pair = this.#pairs[id] as Pair
      pair.count += sign * count
      if (sign > 0) pair.words.add(index)
      else pair.words.delete(index)
      changed?.add(id)
    }
  }

  #idOf(left: number, right: number): number {
    const key = left * MOST_PAIRS + right
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#pairs.length
    if (id >= MOST_PAIRS) throw new RangeError(`there are over ${MOST_PAIRS} pairs`)
    this.#pairs.push({ left, right, count: 0, words: new Set() })
    this.#ids.set(key, id)
    return id
  }
}
