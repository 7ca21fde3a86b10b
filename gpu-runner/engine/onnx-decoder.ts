/**
 * A decoder graph in ONNX Runtime, its KV cache in memory of our own, where the graph runs: past and present are the same
 * tensors, so a run appends to the cache in place. What else goes in and out is small, and in RAM.
 */
import type { KvElement } from '#models/architectures/decoder-blocks.ts'
import type { Binding } from '../runtime/binding.ts'
import type { Device } from '../runtime/memory.ts'
import type { Runtime, Session } from '../runtime/runtime.ts'
import { type DataOf, type Tensor, zeros } from '../runtime/tensor.ts'
import type { Decoder } from './decoder.ts'
import { bytesPerToken, KvCache, type KvCopy } from './kv-cache.ts'

export interface OnnxDecoderOptions {
  readonly modelPath: string
  readonly threads: number
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

/** What one run of a slot reads and writes, for a number of tokens. */
interface Plan extends Disposable {
  readonly ids: BigInt64Array
  /** How many tokens there are after the run, less one; and not less. */
  readonly lengthMinusOne: Int32Array
  readonly totalLength: Int32Array
  readonly binding: Binding
}

export class OnnxDecoder implements Decoder<KvCopy>, Disposable {
  readonly contextLength: number
  readonly slots: number
  readonly bytesPerToken: number
  readonly #runtime: Runtime
  readonly #session: Session
  readonly #kv: KvCache
  readonly #vocabularySize: number
  readonly #logits: DataOf<'float32'>
  /** The plans for one token, by slot: they are run over and over. */
  readonly #decodePlans = new Map<number, Plan>()

  constructor(runtime: Runtime, options: OnnxDecoderOptions) {
    const { modelPath, threads, device = 'cpu', contextLength, vocabularySize, slots = 1 } = options
    this.#runtime = runtime
    this.contextLength = contextLength
    this.slots = slots
    this.bytesPerToken = bytesPerToken(options)
    this.#vocabularySize = vocabularySize
    this.#session = runtime.session(modelPath, { threads, device })
    this.#kv = new KvCache({ ...options, capacity: contextLength, slots }, this.#session)
    this.#logits = zeros('float32', slots * vocabularySize)
  }

  run(tokens: readonly number[], position: number, slot = 0): Float32Array {
    if (tokens.length === 1) return this.#runOne(tokens[0] as number, position, slot)
    this.#requireRoom(position, tokens.length)
    using plan = this.#plan(slot, tokens.length)
    for (const [i, token] of tokens.entries()) plan.ids[i] = BigInt(token)
    return this.#run(plan, position + tokens.length, slot)
  }

  /**
   * One after the other: in one run with others, a sequence's last bits would differ from those it has alone, and what is
   * sampled from them now and then (see decision 5).
   */
  decode(tokens: readonly number[], positions: readonly number[]): Float32Array {
    const count = tokens.length
    if (count === 0 || count > this.slots) throw new RangeError(`${count} sequences do not fit in ${this.slots} slots`)
    for (const [slot, token] of tokens.entries()) this.#runOne(token, positions[slot] as number, slot)
    return this.#logits.subarray(0, count * this.#vocabularySize)
  }

  #runOne(token: number, position: number, slot: number): Float32Array {
    this.#requireRoom(position, 1)
    const plan = this.#decodePlans.get(slot) ?? this.#plan(slot, 1)
    this.#decodePlans.set(slot, plan)
    plan.ids[0] = BigInt(token)
    return this.#run(plan, position + 1, slot)
  }

  #requireRoom(position: number, count: number): void {
    if (count > 0 && position + count <= this.contextLength) return
    throw new RangeError(`${count} tokens at ${position} do not fit in a context of ${this.contextLength}`)
  }

  /** @param end tokens in the slot after the run */
  #run(plan: Plan, end: number, slot: number): Float32Array {
    plan.lengthMinusOne[0] = end - 1
    plan.totalLength[0] = end
    plan.binding.run()
    return this.#logitsOf(slot)
  }

  #logitsOf(slot: number): DataOf<'float32'> {
    return this.#logits.subarray(slot * this.#vocabularySize, (slot + 1) * this.#vocabularySize)
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

  #plan(slot: number, length: number): Plan {
    const runtime = this.#runtime
    const ids = runtime.tensor('int64', [1, length])
    const lengthMinusOne = runtime.tensor('int32', [1])
    const totalLength = runtime.tensor('int32', [])
    const logitRow = runtime.tensor('int64', [1], BigInt64Array.of(BigInt(length - 1)))
    const logits = runtime.tensor('float32', [1, this.#vocabularySize], this.#logitsOf(slot))
    const windows = [...this.#kv.windows(slot)]
    const named = (prefix: string): Record<string, Tensor> =>
      Object.fromEntries(windows.map(([name, window]) => [`${prefix}.${name}`, window]))
    const binding = this.#session.bind(
      {
        ...named('past'),
        input_ids: ids,
        lengths_minus_one: lengthMinusOne,
        total_length: totalLength,
        logit_rows: logitRow,
      },
      { ...named('present'), logits },
    )
    const tensors = [ids, lengthMinusOne, totalLength, logitRow, logits, ...windows.map(([, window]) => window)]
    return {
      ids: ids.data,
      lengthMinusOne: lengthMinusOne.data,
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
    this.#session[Symbol.dispose]()
  }
}
