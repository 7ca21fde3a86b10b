/** Tensors over JavaScript buffers, which V8 never moves, or over a GPU's memory: a run reads and writes them in place. */
import koffi from 'koffi'
import { ELEMENTS, type ElementType } from '#models/graph/tensor-type.ts'
import { Handle } from './handle.ts'
import { type Api, made, type Ptr } from './ort-c-api.ts'

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

/** An array over the part of a buffer that begins at `start`. Throws RangeError if it would leave the buffer. */
export function arrayAt<T extends ElementType>(
  type: T,
  buffer: ArrayBufferLike,
  start: number,
  length: number,
): DataOf<T> {
  return new ARRAYS[type](buffer as ArrayBuffer, start, length) as DataOf<T>
}

/** Where the elements of a tensor on a GPU begin, in memory that is kept until the tensor is disposed. */
export interface DevicePlace {
  readonly address: Ptr<'Memory'>
  /** Bytes that there are from there on. */
  readonly room: number
  readonly hold: Disposable
}

/** A typed, shaped window on memory. Several tensors may share the same. */
export class Tensor<T extends ElementType = ElementType> implements Disposable {
  readonly type: T
  readonly dims: readonly number[]
  readonly handle: Handle<'Value'>
  readonly #place: DataOf<T> | DevicePlace

  /** Throws RangeError if `place` is an array of not as many elements as `dims` say, or has no room for so many. */
  constructor(api: Api, info: Handle<'MemoryInfo'>, type: T, dims: readonly number[], place: DataOf<T> | DevicePlace) {
    const length = dims.reduce((a, b) => a * b, 1)
    const { code, bytes } = ELEMENTS[type]
    const elements = 'address' in place ? Math.min(length, Math.floor(place.room / bytes)) : place.length
    if (elements !== length) throw new RangeError(`[${dims}] needs ${length} elements, not ${elements}`)
    const shape = BigInt64Array.from(dims, BigInt)
    const at = 'address' in place ? place.address : place
    const pointer = made<'Value'>((out) =>
      api.CreateTensorWithDataAsOrtValue(info.pointer, at, length * bytes, shape, shape.length, code, out),
    )
    this.type = type
    this.dims = dims
    this.#place = place
    this.handle = new Handle('tensor', pointer, api.ReleaseValue)
  }

  get onDevice(): boolean {
    return 'address' in this.#place
  }

  /** The elements, in place. Throws TypeError if they are on a GPU. */
  get data(): DataOf<T> {
    if ('address' in this.#place) throw new TypeError("the tensor is in a GPU's memory: its elements have to be copied")
    return this.#place
  }

  [Symbol.dispose](): void {
    this.handle.release()
    if ('address' in this.#place) this.#place.hold[Symbol.dispose]()
  }
}
