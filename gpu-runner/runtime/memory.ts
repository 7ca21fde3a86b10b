/** Memory that several tensors lie in and that stays where it is, of this process or of a GPU. */
import type { ElementType } from '#models/graph/tensor-type.ts'
import { Handle } from './handle.ts'
import { type Api, made } from './ort-c-api.ts'
import { arrayAt, Tensor, zeros } from './tensor.ts'

export type Device = 'cpu' | 'cuda'

/** Equally long pieces of memory at equal distances; all in bytes. */
export interface Rows {
  readonly start: number
  readonly length: number
  readonly pitch: number
  readonly count: number
}

/** Every method throws RangeError if it would leave the memory's bounds. */
export interface Memory extends Disposable {
  readonly byteLength: number
  /** A tensor over a part; to be disposed before the memory. */
  tensor<T extends ElementType>(type: T, dims: readonly number[], start: number): Tensor<T>
  /** Copies rows out, one after the other. */
  read(rows: Rows, target: Uint8Array): void
  /** Copies rows in; in `source` they begin `sourcePitch` bytes apart. */
  write(rows: Rows, source: Uint8Array, sourcePitch: number): void
  /** Copies rows to others of the same distance, which begin at `to`. */
  move(rows: Rows, to: number): void
}

const DEVICE_ALLOCATOR = 0
const DEFAULT_MEMORY = 0

export function memoryInfo(api: Api, name: 'Cpu' | 'Cuda'): Handle<'MemoryInfo'> {
  return new Handle(
    'memory info',
    made((out) => api.CreateMemoryInfo(name, DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY, out)),
    api.ReleaseMemoryInfo,
  )
}

/** The bytes from the first row's begin to the last one's end. */
export function extent({ length, pitch, count }: Rows): number {
  return count === 0 ? 0 : (count - 1) * pitch + length
}

/** Throws RangeError unless the bytes lie within so many. */
export function requireBounds(start: number, length: number, byteLength: number): void {
  if (start >= 0 && length >= 0 && start + length <= byteLength) return
  throw new RangeError(`${length} bytes at ${start} do not fit in ${byteLength}`)
}

/** Memory of this process. The operating system gives it as it is first written. */
export class HostMemory implements Memory {
  readonly #api: Api
  readonly #ram: Handle<'MemoryInfo'>
  readonly #bytes: Uint8Array

  constructor(api: Api, ram: Handle<'MemoryInfo'>, byteLength: number) {
    this.#api = api
    this.#ram = ram
    this.#bytes = zeros('uint8', byteLength)
  }

  get byteLength(): number {
    return this.#bytes.length
  }

  tensor<T extends ElementType>(type: T, dims: readonly number[], start: number): Tensor<T> {
    const length = dims.reduce((a, b) => a * b, 1)
    const data = arrayAt(type, this.#bytes.buffer, this.#bytes.byteOffset + start, length)
    requireBounds(start, data.byteLength, this.byteLength)
    return new Tensor(this.#api, this.#ram, type, dims, data)
  }

  read(rows: Rows, target: Uint8Array): void {
    const { start, length, pitch, count } = this.#checked(rows)
    requireBounds(0, length * count, target.length)
    for (let i = 0; i < count; i++) {
      const at = start + i * pitch
      target.set(this.#bytes.subarray(at, at + length), i * length)
    }
  }

  write(rows: Rows, source: Uint8Array, sourcePitch: number): void {
    const { start, length, pitch, count } = this.#checked(rows)
    requireBounds(0, extent({ ...rows, pitch: sourcePitch }), source.length)
    for (let i = 0; i < count; i++) {
      this.#bytes.set(source.subarray(i * sourcePitch, i * sourcePitch + length), start + i * pitch)
    }
  }

  move(rows: Rows, to: number): void {
    const { start, length, pitch, count } = this.#checked(rows)
    requireBounds(to, extent(rows), this.byteLength)
    for (let i = 0; i < count; i++) {
      const at = start + i * pitch
      this.#bytes.copyWithin(to + i * pitch, at, at + length)
    }
  }

  #checked(rows: Rows): Rows {
    requireBounds(rows.start, extent(rows), this.byteLength)
    return rows
  }

  /** Nothing: its tensors keep it as long as they need it. */
  [Symbol.dispose](): void {}
}
