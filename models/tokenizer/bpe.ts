/**
 * Byte-pair encoding (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909) over bytes: of all neighbouring pairs the
 * one that was learnt first is merged, the leftmost of equals first, until none is known.
 */
import { BYTE_CHARACTERS } from './byte-level.ts'
import { mergeParts } from './merge.ts'
import { TokenizerError } from './tokenizer-error.ts'

export interface BpeVocabulary {
  /** In the byte alphabet, by their number. */
  readonly tokens: readonly string[]
  /** Pairs of tokens with a space between, first learnt first. */
  readonly merges: readonly string[]
  /** Whether a piece that is a token of its own is taken as such, whatever the merges would make of it. */
  readonly ignoreMerges: boolean
}

/** Pieces are mostly words, which come again; the cache is emptied when it is full. */
const CACHED_PIECES = 1 << 14
const CACHED_LENGTH = 32

export class Bpe {
  readonly #tokenIds: ReadonlyMap<string, number>
  readonly #ignoreMerges: boolean
  readonly #size: number
  /** Undefined where the vocabulary lacks a byte; such bytes are left out, as llama.cpp does. */
  readonly #byteIds: readonly (number | undefined)[]
  /** From left · size + right to the pair's rank. */
  readonly #ranks = new Map<number, number>()
  /** By rank: the token that the pair becomes. */
  readonly #merged: Int32Array
  readonly #cache = new Map<string, readonly number[]>()
  readonly #encoder = new TextEncoder()

  /** Throws TokenizerError for a merge of tokens that are not in the vocabulary. */
  constructor({ tokens, merges, ignoreMerges }: BpeVocabulary) {
    this.#tokenIds = new Map(tokens.map((token, id) => [token, id]))
    this.#ignoreMerges = ignoreMerges
    this.#size = tokens.length
    this.#byteIds = BYTE_CHARACTERS.map((character) => this.#tokenIds.get(character))
    this.#merged = new Int32Array(merges.length)
    for (const [rank, merge] of merges.entries()) {
      const space = merge.indexOf(' ', 1)
      const [first, second] = [merge.slice(0, space), merge.slice(space + 1)]
      const [left, right, merged] = [first, second, first + second].map((token) => this.#tokenIds.get(token))
      if (space < 0 || left === undefined || right === undefined || merged === undefined) {
        throw new TokenizerError('invalid_vocabulary', `merge ${rank} (${merge}) is not of tokens in the vocabulary`)
      }
      const pair = left * this.#size + right
      if (!this.#ranks.has(pair)) this.#ranks.set(pair, rank)
      this.#merged[rank] = merged
    }
  }

  /** Appends the tokens of one piece of text. */
  encode(piece: string, out: number[]): void {
    const cacheable = piece.length <= CACHED_LENGTH
    let ids = cacheable ? this.#cache.get(piece) : undefined
    if (!ids) {
      ids = this.#encodeBytes(this.#encoder.encode(piece))
      if (cacheable) {
        if (this.#cache.size >= CACHED_PIECES) this.#cache.clear()
        this.#cache.set(piece, ids)
      }
    }
    for (const id of ids) out.push(id)
  }

  #encodeBytes(bytes: Uint8Array): number[] {
    if (this.#ignoreMerges) {
      const whole = this.#tokenIds.get(Array.from(bytes, (byte) => BYTE_CHARACTERS[byte]).join(''))
      if (whole !== undefined) return [whole]
    }
    const ids = [...bytes].map((byte) => this.#byteIds[byte]).filter((id) => id !== undefined)
    return ids.length < 2 ? ids : this.#merge(Int32Array.from(ids))
  }

  #merge(ids: Int32Array): number[] {
    const starts = mergeParts(ids.length, {
      rank: (left, right) => this.#ranks.get((ids[left] as number) * this.#size + (ids[right] as number)),
      merged: (left, rank) => {
        ids[left] = this.#merged[rank] as number
      },
    })
    return starts.map((at) => ids[at] as number)
  }
}
