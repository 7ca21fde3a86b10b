/** Memory of a GPU, from the allocator of a session that runs there. */
import type { ElementType } from '#models/graph/tensor-type.ts'
import { Handle } from './handle.ts'
import { extent, type Memory, memoryInfo, type Rows, requireBounds } from './memory.ts'
import { type Api, made, type Ptr } from './ort-c-api.ts'
import { Tensor } from './tensor.ts'

/** One end of a copy. */
export interface Pitched {
  readonly at: Ptr<'Memory'> | Uint8Array
  readonly pitch: number
}

/** What copies between this process and a device, and within the device; each returns when it is done. */
export interface DeviceCopies {
  /** The name of its memory in ONNX Runtime. */
  readonly memoryName: 'Cpu' | 'Cuda'
  /** `length` bytes `count` times. */
  copy(target: Pitched, source: Pitched, length: number, count: number): void
  zero(at: Ptr<'Memory'>, byteLength: number): void
}

export interface DeviceMemoryOptions {
  readonly api: Api
  /** A session on the device; it is kept as long as the memory. */
  readonly session: Handle<'Session'>
  readonly device: DeviceCopies
  readonly byteLength: number
}

export class DeviceMemory implements Memory {
  readonly byteLength: number
  readonly #api: Api
  readonly #device: DeviceCopies
  readonly #session: Disposable
  readonly #info: Handle<'MemoryInfo'>
  readonly #allocator: Handle<'Allocator'>
  readonly #handle: Handle<'Memory'>

  /** Throws OrtError if the device has not as much memory left. */
  constructor({ api, session, device, byteLength }: DeviceMemoryOptions) {
    this.byteLength = byteLength
    this.#api = api
    this.#device = device
    this.#info = memoryInfo(api, device.memoryName)
    const allocator = new Handle(
      'allocator',
      made<'Allocator'>((out) => api.CreateAllocator(session.pointer, this.#info.pointer, out)),
      api.ReleaseAllocator,
    )
    this.#allocator = allocator
    this.#session = session.hold()
    try {
      this.#handle = new Handle(
        'device memory',
        made<'Memory'>((out) => api.AllocatorAlloc(allocator.pointer, byteLength, out)),
        (address) => api.AllocatorFree(allocator.pointer, address),
      )
    } catch (error) {
      this.#releaseAllocator()
      throw error
    }
    device.zero(this.#handle.pointer, byteLength)
  }

  tensor<T extends ElementType>(type: T, dims: readonly number[], start: number): Tensor<T> {
    const address = this.#at(start)
    const hold = this.#handle.hold()
    try {
      return new Tensor(this.#api, this.#info, type, dims, { address, room: this.byteLength - start, hold })
    } catch (error) {
      hold[Symbol.dispose]()
      throw error
    }
  }

  read(rows: Rows, target: Uint8Array): void {
    const { start, length, pitch, count } = this.#checked(rows)
    requireBounds(0, length * count, target.length)
    this.#device.copy({ at: target, pitch: length }, { at: this.#at(start), pitch }, length, count)
  }

  write(rows: Rows, source: Uint8Array, sourcePitch: number): void {
    const { start, length, pitch, count } = this.#checked(rows)
    requireBounds(0, extent({ ...rows, pitch: sourcePitch }), source.length)
    this.#device.copy({ at: this.#at(start), pitch }, { at: source, pitch: sourcePitch }, length, count)
  }

  move(rows: Rows, to: number): void {
    const { start, length, pitch, count } = this.#checked(rows)
    requireBounds(to, extent(rows), this.byteLength)
    this.#device.copy({ at: this.#at(to), pitch }, { at: this.#at(start), pitch }, length, count)
  }

  #at(offset: number): Ptr<'Memory'> {
    return (this.#handle.pointer + BigInt(offset)) as Ptr<'Memory'>
  }

  #checked(rows: Rows): Rows {
    requireBounds(rows.start, extent(rows), this.byteLength)
    return rows
  }

  #releaseAllocator(): void {
    this.#allocator.release()
    this.#info.release()
    this.#session[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#handle.release()
    this.#releaseAllocator()
  }
}
