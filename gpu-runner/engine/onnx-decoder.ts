/**
 * A decoder graph in ONNX Runtime, its KV cache in memory of our own: past and present are the same tensors, so a run
 * appends to the cache in place.
 */
import type { Binding } from '../runtime/binding.ts'
import type { Runtime, Session } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { Decoder } from './decoder.ts'

export interface OnnxDecoderOptions {
  readonly modelPath: string
  readonly threads: number
  readonly layers: number
  readonly kvHeads: number
  readonly headDim: number
  readonly contextLength: number
  readonly vocabularySize: number
}

/** What one run reads and writes, for a number of tokens. */
interface Plan extends Disposable {
  readonly ids: BigInt64Array
  readonly binding: Binding
}

export class OnnxDecoder implements Decoder, Disposable {
  readonly contextLength: number
  readonly #runtime: Runtime
  readonly #session: Session
  readonly #cache: Record<string, Tensor> = {}
  readonly #present: Record<string, Tensor> = {}
  readonly #lengthsMinusOne: Tensor<'int32'>
  readonly #totalLength: Tensor<'int32'>
  readonly #logitRow: Tensor<'int64'>
  readonly #logits: Tensor<'float32'>
  /** The plan for one token, which is run over and over. */
  readonly #decode: Plan

  constructor(runtime: Runtime, options: OnnxDecoderOptions) {
    const { modelPath, threads, layers, kvHeads, headDim, contextLength, vocabularySize } = options
    this.#runtime = runtime
    this.contextLength = contextLength
    this.#session = runtime.session(modelPath, { threads })
    for (let i = 0; i < layers; i++) {
      for (const part of ['key', 'value']) {
        // [batch, kvHeads, capacity, headDim]
        const tensor = runtime.tensor('float32', [1, kvHeads, contextLength, headDim])
        this.#cache[`past.${i}.${part}`] = tensor
        this.#present[`present.${i}.${part}`] = tensor
      }
    }
    this.#lengthsMinusOne = runtime.tensor('int32', [1])
    this.#totalLength = runtime.tensor('int32', [])
    this.#logitRow = runtime.tensor('int64', [1])
    this.#logits = runtime.tensor('float32', [1, vocabularySize])
    this.#decode = this.#plan(1)
  }

  run(tokens: readonly number[], position: number): Float32Array {
    const end = position + tokens.length
    if (tokens.length === 0 || end > this.contextLength) {
      throw new RangeError(`${tokens.length} tokens at ${position} do not fit in a context of ${this.contextLength}`)
    }
    this.#lengthsMinusOne.data[0] = end - 1
    this.#totalLength.data[0] = end
    this.#logitRow.data[0] = BigInt(tokens.length - 1)
    if (tokens.length === 1) {
      this.#fill(this.#decode, tokens)
    } else {
      using plan = this.#plan(tokens.length)
      this.#fill(plan, tokens)
    }
    return this.#logits.data
  }

  #fill({ ids, binding }: Plan, tokens: readonly number[]): void {
    for (const [i, token] of tokens.entries()) ids[i] = BigInt(token)
    binding.run()
  }

  #plan(length: number): Plan {
    const ids = this.#runtime.tensor('int64', [1, length])
    const binding = this.#session.bind(
      {
        ...this.#cache,
        input_ids: ids,
        lengths_minus_one: this.#lengthsMinusOne,
        total_length: this.#totalLength,
        logit_rows: this.#logitRow,
      },
      { ...this.#present, logits: this.#logits },
    )
    return {
      ids: ids.data,
      binding,
      [Symbol.dispose]: () => {
        binding[Symbol.dispose]()
        ids[Symbol.dispose]()
      },
    }
  }

  [Symbol.dispose](): void {
    this.#decode[Symbol.dispose]()
    const small = [this.#lengthsMinusOne, this.#totalLength, this.#logitRow, this.#logits]
    for (const tensor of [...Object.values(this.#cache), ...small]) tensor[Symbol.dispose]()
    this.#session[Symbol.dispose]()
  }
}
