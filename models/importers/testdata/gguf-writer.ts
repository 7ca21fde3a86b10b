/** Writes small GGUF files for tests, right ones and, by what is passed in, wrong ones. */
const encoder = new TextEncoder()

/** A value with its GGUF type number; `raw` is written as it stands. */
export type Value =
  | { readonly type: number; readonly raw: Uint8Array }
  | { readonly type: 4; readonly u32: number }
  | { readonly type: 8; readonly string: string }

export interface WrittenTensor {
  readonly name: string
  readonly dims: readonly (number | bigint)[]
  readonly type: number
  readonly offset: number | bigint
}
export interface WrittenFile {
  readonly magic?: string
  readonly version?: number
  readonly tensorCount?: number | bigint
  readonly keyCount?: number | bigint
  readonly metadata?: readonly (readonly [key: string, value: Value])[]
  readonly tensors?: readonly WrittenTensor[]
  /** Bytes after the header, which is padded to `alignment`. */
  readonly data?: Uint8Array
  readonly alignment?: number
}

export function bytesOf(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function little(bytes: number, set: (view: DataView) => void): Uint8Array {
  const out = new Uint8Array(bytes)
  set(new DataView(out.buffer))
  return out
}
export const u32 = (value: number) => little(4, (view) => view.setUint32(0, value, true))
export const u64 = (value: number | bigint) => little(8, (view) => view.setBigUint64(0, BigInt(value), true))
export const f32 = (value: number) => little(4, (view) => view.setFloat32(0, value, true))
export const text = (value: string | Uint8Array) => {
  const bytes = typeof value === 'string' ? encoder.encode(value) : value
  return bytesOf(u64(bytes.length), bytes)
}

/** An array value: element type, count, elements. */
export function array(elementType: number, count: number | bigint, ...elements: readonly Uint8Array[]): Value {
  return { type: 9, raw: bytesOf(u32(elementType), u64(count), ...elements) }
}

export function writeGguf(file: WrittenFile): Uint8Array {
  const { metadata = [], tensors = [], data = new Uint8Array(), alignment = 32 } = file
  const header = bytesOf(
    encoder.encode(file.magic ?? 'GGUF'),
    u32(file.version ?? 3),
    u64(file.tensorCount ?? tensors.length),
    u64(file.keyCount ?? metadata.length),
    ...metadata.map(([key, value]) => bytesOf(text(key), u32(value.type), valueBytes(value))),
    ...tensors.map(({ name, dims, type, offset }) =>
      bytesOf(text(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset)),
    ),
  )
  const padding = new Uint8Array((alignment - (header.length % alignment)) % alignment)
  return bytesOf(header, padding, data)
}

function valueBytes(value: Value): Uint8Array {
  if ('raw' in value) return value.raw
  return 'u32' in value ? u32(value.u32) : text(value.string)
}
