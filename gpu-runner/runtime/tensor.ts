/** Tensors over JavaScript buffers, which V8 never moves: a run reads and writes them in place. */
import koffi from 'koffi'
import { ELEMENTS, type ElementType } from '#models/graph/tensor-type.ts'
import { Handle } from './handle.ts'
import { type Api, made } from './ort-c-api.ts'

const ARRAYS = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float16: Uint16Array,
} as const satisfies Record<ElementType, unknown>
export type DataOf<T extends ElementType> = InstanceType<(typeof ARRAYS)[T]>

/** ONNX Runtime aligns its own tensors so. */
const ALIGNMENT = 64

/** A new zeroed array of `length` elements, aligned. */
export function zeros<T extends ElementType>(type: T, length: number): DataOf<T> {
  const Data = ARRAYS[type]
  const buffer = new ArrayBuffer(length * Data.BYTES_PER_ELEMENT + ALIGNMENT)
  const offset = Number(-koffi.address(buffer) & BigInt(ALIGNMENT - 1))
  return new Data(buffer, offset, length) as DataOf<T>
}

/** A typed, shaped window on a buffer. Several tensors may share one. */
export class Tensor<T extends ElementType = ElementType> implements Disposable {
  readonly type: T
  readonly dims: readonly number[]
  /** The elements, in place. */
  readonly data: DataOf<T>
  readonly handle: Handle<'Value'>

  /** Throws RangeError if `data` has not as many elements as `dims` say. */
  constructor(api: Api, ram: Handle<'MemoryInfo'>, type: T, dims: readonly number[], data: DataOf<T>) {
    const length = dims.reduce((a, b) => a * b, 1)
    if (data.length !== length) throw new RangeError(`[${dims}] needs ${length} elements, not ${data.length}`)
    const { code } = ELEMENTS[type]
    const shape = BigInt64Array.from(dims, BigInt)
    const pointer = made<'Value'>((out) =>
      api.CreateTensorWithDataAsOrtValue(ram.pointer, data, data.byteLength, shape, shape.length, code, out),
    )
    this.type = type
    this.dims = dims
    this.data = data
    this.handle = new Handle('tensor', pointer, api.ReleaseValue)
  }

  [Symbol.dispose](): void {
    this.handle.release()
  }
}
