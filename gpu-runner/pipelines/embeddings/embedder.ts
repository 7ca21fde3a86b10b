/** Texts' tokens to vectors, on a session. */
import type { Runtime, Session } from '../../runtime/runtime.ts'

export class Embedder implements Disposable {
  readonly #runtime: Runtime
  readonly #session: Session
  readonly #dimensions: number

  /** @param model an ONNX file with the inputs and outputs of `models/architectures/bert.ts` */
  constructor(runtime: Runtime, model: Uint8Array, dimensions: number) {
    this.#runtime = runtime
    this.#session = runtime.session(model)
    this.#dimensions = dimensions
  }

  /**
   * @param texts tokens, `length` of each at most; what is missing is filled up and not seen
   * @returns a vector of length 1 for each, one after the other
   */
  embed(texts: readonly (readonly number[])[], length: number): Float32Array {
    const batch = texts.length
    using ids = this.#runtime.tensor('int64', [batch, length])
    using seen = this.#runtime.tensor('int32', [batch, length])
    using positions = this.#runtime.tensor('int64', [length])
    using embeddings = this.#runtime.tensor('float32', [batch, this.#dimensions])
    for (let i = 0; i < length; i++) positions.data[i] = BigInt(i)
    for (const [row, tokens] of texts.entries()) {
      if (tokens.length > length) throw new RangeError(`a text of ${tokens.length} tokens in a batch of ${length}`)
      ids.data.set(BigInt64Array.from(tokens, BigInt), row * length)
      seen.data.fill(1, row * length, row * length + tokens.length)
    }
    using step = this.#session.bind({ input_ids: ids, positions, seen }, { embeddings })
    step.run()
    return embeddings.data
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]()
  }
}
