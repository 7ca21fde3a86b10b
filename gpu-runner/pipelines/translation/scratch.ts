/** Memory that is used again and again: by name, as much as was needed at most. */
import type { Runtime } from '../../runtime/runtime.ts'
import { type DataOf, type Tensor, zeros } from '../../runtime/tensor.ts'

type Kind = 'float32' | 'int32'

/** What is there beyond what is asked for, so that what grows by a little is not moved each time. */
const ROOM = 1.5

export class Scratch {
  readonly #ort: Runtime
  readonly #arrays = new Map<string, DataOf<Kind>>()

  constructor(ort: Runtime) {
    this.#ort = ort
  }

  /** A tensor over the first of the name's memory. What was there stays, unless it is more than ever before. */
  tensor(name: string, dims: readonly number[]): Tensor<'float32'> {
    return this.#ort.tensor('float32', dims, this.#array('float32', name, dims) as Float32Array<ArrayBuffer>)
  }

  integers(name: string, dims: readonly number[]): Tensor<'int32'> {
    return this.#ort.tensor('int32', dims, this.#array('int32', name, dims) as Int32Array<ArrayBuffer>)
  }

  #array(type: Kind, name: string, dims: readonly number[]): DataOf<Kind> {
    const length = dims.reduce((a, b) => a * b, 1)
    let array = this.#arrays.get(name)
    if (!array || array.length < length) {
      array = zeros(type, Math.ceil(ROOM * length))
      this.#arrays.set(name, array)
    }
    return array.subarray(0, length) as DataOf<Kind>
  }
}
