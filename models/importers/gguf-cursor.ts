/** Reads GGUF's primitive values one after the other, never past the end of the file. All are little-endian. */
import { GgufError } from './gguf-error.ts'
import type { RangeReader } from './range-reader.ts'

const WINDOW = 1 << 16
const LONGEST_STRING = 1 << 24
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class GgufCursor {
  readonly #reader: RangeReader
  #window: DataView = new DataView(new ArrayBuffer(0))
  #windowStart = 0
  #at = 0

  constructor(reader: RangeReader) {
    this.#reader = reader
  }

  get offset(): number {
    return this.#at
  }
  get left(): number {
    return this.#reader.byteLength - this.#at
  }

  u8 = (): number => this.#take(1, (view, at) => view.getUint8(at))
  i8 = (): number => this.#take(1, (view, at) => view.getInt8(at))
  u16 = (): number => this.#take(2, (view, at) => view.getUint16(at, true))
  i16 = (): number => this.#take(2, (view, at) => view.getInt16(at, true))
  u32 = (): number => this.#take(4, (view, at) => view.getUint32(at, true))
  i32 = (): number => this.#take(4, (view, at) => view.getInt32(at, true))
  f32 = (): number => this.#take(4, (view, at) => view.getFloat32(at, true))
  f64 = (): number => this.#take(8, (view, at) => view.getFloat64(at, true))
  u64 = (): number => this.#safe(this.#take(8, (view, at) => view.getBigUint64(at, true)))
  i64 = (): number => this.#safe(this.#take(8, (view, at) => view.getBigInt64(at, true)))

  bool = (): boolean => {
    const byte = this.u8()
    if (byte > 1) throw new GgufError('invalid_value', `a boolean is ${byte} at ${this.#at - 1}`)
    return byte === 1
  }

  string = (): string => {
    const length = this.count(1, 'a string')
    if (length > LONGEST_STRING) {
      throw new GgufError('invalid_count', `the string at ${this.#at} has ${length} bytes, over ${LONGEST_STRING}`)
    }
    const bytes = this.#reader.read(this.#at, length)
    this.#at += length
    try {
      return utf8.decode(bytes)
    } catch {
      throw new GgufError('invalid_string', `the string at ${this.#at - length} is not UTF-8`)
    }
  }

  /** A number of things, each of at least `bytesEach`; throws if the file cannot hold so many. */
  count(bytesEach: number, what: string): number {
    const count = this.u64()
    if (count * bytesEach > this.left) {
      throw new GgufError('invalid_count', `${what} has a length of ${count}, but only ${this.left} bytes are left`)
    }
    return count
  }

  #safe(value: bigint): number {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new GgufError('invalid_value', `${value} at ${this.#at - 8} is too large`)
    return number
  }

  #take<T>(length: number, get: (view: DataView, at: number) => T): T {
    if (length > this.left)
      throw new GgufError('truncated', `the file ends at ${this.#reader.byteLength}, inside a value`)
    if (this.#at < this.#windowStart || this.#at + length > this.#windowStart + this.#window.byteLength) {
      const bytes = this.#reader.read(this.#at, Math.min(WINDOW, this.left))
      this.#window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#windowStart = this.#at
    }
    const value = get(this.#window, this.#at - this.#windowStart)
    this.#at += length
    return value
  }
}
