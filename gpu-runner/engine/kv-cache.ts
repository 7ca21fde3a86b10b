/**
 * Keys and values of all sequences: for each layer two tensors [slots, kvHeads, capacity, headDim]. A slot's place never
 * changes, so that a run over the first n slots, or over one, needs no copy: its tensors are windows on these.
 */
import type { Runtime } from '../runtime/runtime.ts'
import { type DataOf, type Tensor, zeros } from '../runtime/tensor.ts'
import type { KvSnapshot } from './decoder.ts'

export interface KvShape {
  readonly layers: number
  readonly kvHeads: number
  readonly headDim: number
  /** Tokens a slot has room for. */
  readonly capacity: number
  readonly slots: number
}

/** By layer, keys then values, head after head: [length, headDim]. */
export interface KvCopy extends KvSnapshot {
  readonly data: Float32Array
}

/** Bytes that one token takes. */
export function bytesPerToken({ layers, kvHeads, headDim }: Pick<KvShape, 'layers' | 'kvHeads' | 'headDim'>): number {
  return 2 * layers * kvHeads * headDim * Float32Array.BYTES_PER_ELEMENT
}

export class KvCache {
  readonly shape: KvShape
  /** Layer by layer, keys then values. Memory is taken as it is first written. */
  readonly #buffers: readonly DataOf<'float32'>[]

  constructor(shape: KvShape) {
    this.shape = shape
    const { layers, slots, kvHeads, capacity, headDim } = shape
    this.#buffers = Array.from({ length: 2 * layers }, () => zeros('float32', slots * kvHeads * capacity * headDim))
  }

  /** Windows on `count` slots from `first` on, by layer and part: `0.key`, `0.value`, … The caller disposes of them. */
  windows(runtime: Runtime, first: number, count: number): Map<string, Tensor> {
    const { kvHeads, capacity, headDim } = this.shape
    return new Map(
      this.#buffers.map((buffer, i) => {
        const window = buffer.subarray(this.#start(first), this.#start(first + count))
        const name = `${i >> 1}.${i % 2 === 0 ? 'key' : 'value'}`
        return [name, runtime.tensor('float32', [count, kvHeads, capacity, headDim], window)]
      }),
    )
  }

  move(from: number, to: number, length: number): void {
    const { headDim } = this.shape
    for (const buffer of this.#buffers) {
      for (const head of this.#heads(from)) {
        const target = head + this.#start(to) - this.#start(from)
        buffer.copyWithin(target, head, head + length * headDim)
      }
    }
  }

  save(slot: number, length: number): KvCopy {
    const size = length * this.shape.headDim
    const data = new Float32Array(2 * this.shape.layers * this.shape.kvHeads * size)
    let at = 0
    for (const buffer of this.#buffers) {
      for (const head of this.#heads(slot)) {
        data.set(buffer.subarray(head, head + size), at)
        at += size
      }
    }
    return { length, bytes: data.byteLength, data }
  }

  restore(slot: number, copy: KvCopy, length: number): void {
    const { headDim } = this.shape
    let at = 0
    for (const buffer of this.#buffers) {
      for (const head of this.#heads(slot)) {
        buffer.set(copy.data.subarray(at, at + length * headDim), head)
        at += copy.length * headDim
      }
    }
  }

  #start(slot: number): number {
    const { kvHeads, capacity, headDim } = this.shape
    return slot * kvHeads * capacity * headDim
  }

  /** Where each head of a slot begins. */
  *#heads(slot: number): Generator<number> {
    const { kvHeads, capacity, headDim } = this.shape
    for (let head = 0; head < kvHeads; head++) yield this.#start(slot) + head * capacity * headDim
  }
}
