/** Writes small safetensors files for tests, right ones and, by what is passed in, wrong ones. */
import { bytesOf, u64 } from './gguf-writer.ts'

export interface WrittenSafetensors {
  /** As JSON, or the text itself. */
  readonly header: object | string
  /** What the file says of its length. */
  readonly headerLength?: number | bigint
  readonly data?: Uint8Array
}

export function writeSafetensors({ header, headerLength, data = new Uint8Array() }: WrittenSafetensors): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  return bytesOf(u64(headerLength ?? text.length), text, data)
}

/** An entry of the header. */
export function entry(dtype: string, shape: readonly number[], begin: number, end: number) {
  return { dtype, shape, data_offsets: [begin, end] }
}
