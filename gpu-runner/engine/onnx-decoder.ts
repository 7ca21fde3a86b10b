/**
 * A decoder's graphs in ONNX Runtime, its KV cache in memory of our own, where the graphs run: past and present are the same
 * tensors, so a run appends to the cache in place. What else goes in and out is small, and in RAM.
 */
import type { KvElement, Phase } from '#models/architectures/decoder-blocks.ts'
import type { Binding } from '../runtime/binding.ts'
import type { Device } from '../runtime/memory.ts'
import type { Runtime, Session } from '../runtime/runtime.ts'
import { type DataOf, type Tensor, zeros } from '../runtime/tensor.ts'
import type { Decoder } from './decoder.ts'
import { bytesPerToken, KvCache, type KvCopy } from './kv-cache.ts'

export interface OnnxDecoderOptions {
  readonly paths: Readonly<Record<Phase, string>>
  /** `cpu` by default. */
  readonly device?: Device
  readonly layers: number
  readonly kvHeads: number
  readonly headDim: number
  readonly kvElement: KvElement
  readonly contextLength: number
  readonly vocabularySize: number
  /** Sequences that there is room for; 1 by default. */
  readonly slots?: number
}

/** What one run reads and writes. */
interface Plan extends Disposable {
  readonly ids: BigInt64Array
  /** By sequence: how many tokens it has after the run, less one. */
  readonly lengthsMinusOne: Int32Array
  /** The greatest of the lengths. */
  readonly totalLength: Int32Array
  readonly binding: Binding
}

export class OnnxDecoder implements Decoder<KvCopy>, Disposable {
  readonly contextLength: number
  readonly slots: number
  readonly bytesPerToken: number
  readonly #runtime: Runtime
  readonly #sessions: Readonly<Record<Phase, Session>>
  readonly #kv: KvCache
  readonly #vocabularySize: number
  readonly #logits: DataOf<'float32'>
  /** By the number of sequences: they are run over and over. */
  readonly #decodePlans = new Map<number, Plan>()

  constructor(runtime: Runtime, options: OnnxDecoderOptions) {
    const { paths, device = 'cpu', contextLength, vocabularySize, slots = 1 } = options
    this.#runtime = runtime
    this.contextLength = contextLength
    this.slots = slots
    this.bytesPerToken = bytesPerToken(options)
    this.#vocabularySize = vocabularySize
    this.#sessions = {
      prefill: runtime.session(paths.prefill, { device }),
      decode: runtime.session(paths.decode, { device }),
    }
    this.#kv = new KvCache({ ...options, capacity: contextLength, slots }, this.#sessions.decode)
    this.#logits = zeros('float32', slots * vocabularySize)
  }

  prefill(tokens: readonly number[], position: number, slot: number): void {
    const end = position + tokens.length
    if (tokens.length < 2 || end > this.contextLength) {
      throw new RangeError(`${tokens.length} tokens at ${position} do not fit in a context of ${this.contextLength}`)
    }
    using plan = this.#plan('prefill', { first: slot, count: 1, tokens: tokens.length })
    for (const [i, token] of tokens.entries()) plan.ids[i] = BigInt(token)
    plan.lengthsMinusOne[0] = end - 1
    plan.totalLength[0] = end
    plan.binding.run()
  }

  decode(tokens: readonly number[], positions: readonly number[]): Float32Array {
    const count = tokens.length
    if (count === 0 || count > this.slots) throw new RangeError(`${count} sequences do not fit in ${this.slots} slots`)
    const plan = this.#decodePlans.get(count) ?? this.#plan('decode', { first: 0, count, tokens: count })
    this.#decodePlans.set(count, plan)
    let longest = 0
    for (const [i, position] of positions.entries()) {
      if (position >= this.contextLength) throw new RangeError(`position ${position} is beyond ${this.contextLength}`)
      plan.ids[i] = BigInt(tokens[i] as number)
      plan.lengthsMinusOne[i] = position
      longest = Math.max(longest, position + 1)
    }
    plan.totalLength[0] = longest
    plan.binding.run()
    return this.#logits.subarray(0, count * this.#vocabularySize)
  }

  move(from: number, to: number, length: number): void {
    this.#kv.move(from, to, length)
  }

  save(slot: number, length: number): KvCopy {
    return this.#kv.save(slot, length)
  }

  restore(slot: number, copy: KvCopy, length: number): void {
    this.#kv.restore(slot, copy, length)
  }

  /** Binds `count` slots from `first` on, for so many tokens in all. */
  #plan(phase: Phase, { first, count, tokens }: { first: number; count: number; tokens: number }): Plan {
    const runtime = this.#runtime
    const ids = runtime.tensor('int64', [1, tokens])
    const lengthsMinusOne = runtime.tensor('int32', [count])
    const totalLength = runtime.tensor('int32', [])
    const windows = [...this.#kv.windows(first, count)]
    const named = (prefix: string): Record<string, Tensor> =>
      Object.fromEntries(windows.map(([name, window]) => [`${prefix}.${name}`, window]))
    const logitsData = this.#logits.subarray(0, count * this.#vocabularySize)
    const logits = runtime.tensor('float32', [1, count, this.#vocabularySize], logitsData)
    const binding = this.#sessions[phase].bind(
      { ...named('past'), input_ids: ids, lengths_minus_one: lengthsMinusOne, total_length: totalLength },
      { ...named('present'), ...(phase === 'decode' && { logits }) },
    )
    const tensors = [ids, lengthsMinusOne, totalLength, logits, ...windows.map(([, window]) => window)]
    return {
      ids: ids.data,
      lengthsMinusOne: lengthsMinusOne.data,
      totalLength: totalLength.data,
      binding,
      [Symbol.dispose]: () => {
        binding[Symbol.dispose]()
        for (const tensor of tensors) tensor[Symbol.dispose]()
      },
    }
  }

  [Symbol.dispose](): void {
    for (const plan of this.#decodePlans.values()) plan[Symbol.dispose]()
    this.#kv[Symbol.dispose]()
    for (const session of Object.values(this.#sessions)) session[Symbol.dispose]()
  }
}
