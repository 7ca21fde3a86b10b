/**
 * Keys and values of all sequences: for each layer two tensors [slots, kvHeads, capacity, headDim], in memory of the device
 * that computes on them. A slot's place never changes, so that a run over the first n slots, or over one, needs no copy: its
 * tensors are windows on these.
 */
import type { KvElement } from '#models/architectures/decoder-blocks.ts'
import { ELEMENTS } from '#models/graph/tensor-type.ts'
import type { Memory, Rows } from '../runtime/memory.ts'
import type { Session } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { KvSnapshot } from './decoder.ts'

export interface KvShape {
  readonly layers: number
  readonly kvHeads: number
  readonly headDim: number
  readonly kvElement: KvElement
  /** Tokens a slot has room for. */
  readonly capacity: number
  readonly slots: number
}

/** By layer, keys then values, head after head: [length, headDim]. */
export interface KvCopy extends KvSnapshot {
  readonly data: Uint8Array
}

/** Bytes that one token takes. */
export function bytesPerToken(shape: Pick<KvShape, 'layers' | 'kvHeads' | 'headDim' | 'kvElement'>): number {
  return 2 * shape.layers * shape.kvHeads * bytesOfHead(shape)
}

/** More sequences at once gain little on a processor. */
const MOST_SLOTS = 32
/** For so many sequences a long context is cut, though not to less than this. */
const ENOUGH_SLOTS = 8
const ENOUGH_CONTEXT = 8192
/** With less there is no conversation. */
const LEAST_CONTEXT = 256

/**
 * How memory is shared out: a context of 131,072 tokens would often leave room for a single sequence, while nearly all
 * are short.
 * @param room bytes for keys and values
 * @throws RangeError if there is room for no conversation
 */
export function shareOut(
  room: number,
  { bytesPerToken, contextLength: trained }: { readonly bytesPerToken: number; readonly contextLength: number },
): { contextLength: number; slots: number } {
  const tokens = Math.floor(room / bytesPerToken)
  if (tokens < Math.min(LEAST_CONTEXT, trained)) throw new RangeError(`there is memory for ${tokens} tokens only`)
  const contextLength = Math.min(trained, tokens, Math.max(ENOUGH_CONTEXT, Math.floor(tokens / ENOUGH_SLOTS)))
  return { contextLength, slots: Math.min(MOST_SLOTS, Math.floor(tokens / contextLength)) }
}

/** Bytes of one token's key or value of one head. */
function bytesOfHead({ headDim, kvElement }: Pick<KvShape, 'headDim' | 'kvElement'>): number {
  return headDim * ELEMENTS[kvElement].bytes
}

export class KvCache implements Disposable {
  readonly shape: KvShape
  /** Layer by layer, keys then values. */
  readonly #buffers: Memory[] = []
  readonly #headBytes: number
  readonly #slotBytes: number

  /** @param session what computes on the cache */
  constructor(shape: KvShape, session: Session) {
    this.shape = shape
    const { layers, slots, kvHeads, capacity } = shape
    this.#headBytes = bytesOfHead(shape)
    this.#slotBytes = kvHeads * capacity * this.#headBytes
    try {
      for (let i = 0; i < 2 * layers; i++) this.#buffers.push(session.memory(slots * this.#slotBytes))
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** Windows on `count` slots from `first` on, by layer and part: `0.key`, `0.value`, … The caller disposes of them. */
  windows(first: number, count: number): Map<string, Tensor> {
    const { kvHeads, capacity, headDim, kvElement } = this.shape
    return new Map(
      this.#buffers.map((buffer, i) => {
        const name = `${i >> 1}.${i % 2 === 0 ? 'key' : 'value'}`
        return [name, buffer.tensor(kvElement, [count, kvHeads, capacity, headDim], first * this.#slotBytes)]
      }),
    )
  }

  move(from: number, to: number, length: number): void {
    for (const buffer of this.#buffers) buffer.move(this.#rows(from, length), to * this.#slotBytes)
  }

  save(slot: number, length: number): KvCopy {
    const rows = this.#rows(slot, length)
    const size = rows.count * rows.length
    const data = new Uint8Array(this.#buffers.length * size)
    for (const [i, buffer] of this.#buffers.entries()) buffer.read(rows, data.subarray(i * size, (i + 1) * size))
    return { length, bytes: data.byteLength, data }
  }

  restore(slot: number, copy: KvCopy, length: number): void {
    const rows = this.#rows(slot, length)
    const pitch = copy.length * this.#headBytes
    const size = rows.count * pitch
    for (const [i, buffer] of this.#buffers.entries()) {
      buffer.write(rows, copy.data.subarray(i * size, (i + 1) * size), pitch)
    }
  }

  /** The first `length` tokens of each head of a slot. */
  #rows(slot: number, length: number): Rows {
    const { kvHeads, capacity } = this.shape
    const start = slot * this.#slotBytes
    return { start, length: length * this.#headBytes, pitch: capacity * this.#headBytes, count: kvHeads }
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers.splice(0)) buffer[Symbol.dispose]()
  }
}
