/**
 * A decoder graph in ONNX Runtime, its KV cache in memory of our own: past and present are the same tensors, so a run
 * appends to the cache in place.
 */
import type { Binding } from '../runtime/binding.ts'
import type { Runtime, Session } from '../runtime/runtime.ts'
import { type DataOf, type Tensor, zeros } from '../runtime/tensor.ts'
import type { Decoder } from './decoder.ts'
import { bytesPerToken, KvCache, type KvCopy } from './kv-cache.ts'

export interface OnnxDecoderOptions {
  readonly modelPath: string
  readonly threads: number
  readonly layers: number
  readonly kvHeads: number
  readonly headDim: number
  readonly contextLength: number
  readonly vocabularySize: number
  /** Sequences that there is room for; 1 by default. */
  readonly slots?: number
}

/** What one run reads and writes, for a number of slots and of tokens each. */
interface Plan extends Disposable {
  readonly ids: BigInt64Array
  /** By slot: how many tokens there are after the run, less one. */
  readonly lengthsMinusOne: Int32Array
  /** The greatest length after the run. */
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
  /** The plans for one token a slot, by the number of slots: they are run over and over. */
  readonly #decodePlans = new Map<number, Plan>()

  constructor(runtime: Runtime, options: OnnxDecoderOptions) {
    const { modelPath, threads, contextLength, vocabularySize, slots = 1 } = options
    this.#runtime = runtime
    this.contextLength = contextLength
    this.slots = slots
    this.bytesPerToken = bytesPerToken(options)
    this.#vocabularySize = vocabularySize
    this.#session = runtime.session(modelPath, { threads })
    this.#kv = new KvCache({ ...options, capacity: contextLength, slots })
    this.#logits = zeros('float32', slots * vocabularySize)
  }

  run(tokens: readonly number[], position: number, slot = 0): Float32Array {
    const end = position + tokens.length
    if (tokens.length === 0 || end > this.contextLength) {
      throw new RangeError(`${tokens.length} tokens at ${position} do not fit in a context of ${this.contextLength}`)
    }
    if (tokens.length === 1 && slot === 0) return this.decode(tokens, [position])
    using plan = this.#plan(slot, 1, tokens.length)
    for (const [i, token] of tokens.entries()) plan.ids[i] = BigInt(token)
    plan.lengthsMinusOne[0] = end - 1
    plan.totalLength[0] = end
    plan.binding.run()
    return this.#logits.subarray(0, this.#vocabularySize)
  }

  decode(tokens: readonly number[], positions: readonly number[]): Float32Array {
    const count = tokens.length
    if (count === 0 || count > this.slots) throw new RangeError(`${count} sequences do not fit in ${this.slots} slots`)
    const plan = this.#decodePlans.get(count) ?? this.#plan(0, count, 1)
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

  #plan(slot: number, count: number, length: number): Plan {
    const runtime = this.#runtime
    const ids = runtime.tensor('int64', [count, length])
    const lengthsMinusOne = runtime.tensor('int32', [count])
    const totalLength = runtime.tensor('int32', [])
    const lastRows = BigInt64Array.from({ length: count }, (_, i) => BigInt((i + 1) * length - 1))
    const logitRows = runtime.tensor('int64', [count], lastRows)
    const logitsData = this.#logits.subarray(0, count * this.#vocabularySize)
    const logits = runtime.tensor('float32', [count, this.#vocabularySize], logitsData)
    const windows = [...this.#kv.windows(runtime, slot, count)]
    const named = (prefix: string): Record<string, Tensor> =>
      Object.fromEntries(windows.map(([name, window]) => [`${prefix}.${name}`, window]))
    const binding = this.#session.bind(
      {
        ...named('past'),
        input_ids: ids,
        lengths_minus_one: lengthsMinusOne,
        total_length: totalLength,
        logit_rows: logitRows,
      },
      { ...named('present'), logits },
    )
    const tensors = [ids, lengthsMinusOne, totalLength, logitRows, logits, ...windows.map(([, window]) => window)]
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
    this.#session[Symbol.dispose]()
  }
}
