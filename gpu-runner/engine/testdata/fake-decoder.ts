/** A decoder whose keys and values are the tokens themselves, so that any mix-up of slots changes what it says. */
import assert from 'node:assert/strict'
import type { Decoder, KvSnapshot } from '../decoder.ts'

interface TokenSnapshot extends KvSnapshot {
  readonly tokens: readonly number[]
}

export interface FakeDecoderOptions {
  readonly vocabulary: number
  readonly slots?: number
  /** The token after these. */
  readonly next: (tokens: readonly number[]) => number
}

export class FakeDecoder implements Decoder<TokenSnapshot> {
  readonly contextLength = 100_000
  readonly slots: number
  readonly bytesPerToken = 1
  /** Tokens of each call of `prefill`. */
  readonly prefilled: number[] = []
  /** Sequences of each call of `decode`. */
  readonly decoded: number[] = []
  readonly #options: FakeDecoderOptions
  readonly #contents: number[][]

  constructor(options: FakeDecoderOptions) {
    this.#options = options
    this.slots = options.slots ?? 4
    this.#contents = Array.from({ length: this.slots }, () => [])
  }

  prefill(tokens: readonly number[], position: number, slot: number): void {
    assert.ok(tokens.length >= 2, 'a token by itself is decoded')
    this.prefilled.push(tokens.length)
    this.#append(slot, position, tokens)
  }

  decode(tokens: readonly number[], positions: readonly number[]): Float32Array {
    assert.ok(tokens.length > 0 && tokens.length <= this.slots && tokens.length === positions.length)
    this.decoded.push(tokens.length)
    return Float32Array.from(tokens.flatMap((token, slot) => this.#append(slot, positions[slot] as number, [token])))
  }

  move(from: number, to: number, length: number): void {
    this.#contents[to] = this.#at(from).slice(0, length)
    this.#contents[from] = []
  }

  save(slot: number, length: number): TokenSnapshot {
    const tokens = this.#at(slot).slice(0, length)
    assert.equal(tokens.length, length)
    return { length, bytes: length, tokens }
  }

  restore(slot: number, snapshot: TokenSnapshot, length: number): void {
    assert.ok(length <= snapshot.length)
    this.#contents[slot] = snapshot.tokens.slice(0, length)
  }

  #at(slot: number): number[] {
    const content = this.#contents[slot]
    assert.ok(content, `no slot ${slot}`)
    return content
  }

  #append(slot: number, position: number, tokens: readonly number[]): number[] {
    const before = this.#at(slot).slice(0, position)
    assert.equal(before.length, position, 'everything before is there')
    const content = [...before, ...tokens]
    this.#contents[slot] = content
    const next = this.#options.next(content)
    return Array.from({ length: this.#options.vocabulary }, (_, token) => (token === next ? 10 : 0))
  }
}
