/**
 * Reads GGUF files, versions 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Every length is held
 * against the bytes that are left before anything is made of it.
 */
import { GgufCursor } from './gguf-cursor.ts'
import { GgufError } from './gguf-error.ts'
import { type GgmlType, typeOfCode } from './gguf-quant.ts'
import type { RangeReader } from './range-reader.ts'

export type GgufValue = number | boolean | string | readonly number[] | readonly boolean[] | readonly string[]

export interface GgufTensor {
  readonly name: string
  readonly type: GgmlType
  /** Fastest-changing first: a matrix is [columns, rows]. */
  readonly dims: readonly number[]
  /** From the start of the file. */
  readonly offset: number
  readonly byteLength: number
}

export interface GgufFile {
  readonly version: number
  readonly alignment: number
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: ReadonlyMap<string, GgufTensor>
}

const MAGIC = 0x46554747
const MOST_DIMS = 4
const MOST_KEYS = 1 << 16
const DEFAULT_ALIGNMENT = 32
const ARRAY = 9
/** Bytes that the smallest entry takes: key length and type; name length, dims, type and offset. */
const KEY_BYTES = 13
const TENSOR_BYTES = 32

/** Throws GgufError for whatever is wrong with the file. */
export function parseGguf(reader: RangeReader): GgufFile {
  const cursor = new GgufCursor(reader)
  const magic = cursor.u32()
  if (magic !== MAGIC) throw new GgufError('bad_magic', 'the file does not begin with GGUF')
  const version = cursor.u32()
  if (version !== 2 && version !== 3) {
    const swapped = (version & 0xffff) === 0
    throw new GgufError('unsupported_version', swapped ? 'the file is big-endian' : `GGUF version ${version} is not read`)
  }
  const tensorCount = cursor.count(TENSOR_BYTES, 'the list of tensors')
  const keyCount = cursor.count(KEY_BYTES, 'the metadata')
  if (keyCount > MOST_KEYS) throw new GgufError('invalid_count', `${keyCount} metadata keys are more than ${MOST_KEYS}`)
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.string()
    if (metadata.has(key)) throw new GgufError('duplicate_key', `the metadata has ${key} twice`)
    metadata.set(key, readValue(cursor, cursor.u32(), key))
  }
  const alignment = readAlignment(metadata)
  const described = Array.from({ length: tensorCount }, () => readTensorInfo(cursor))
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment
  return { version, alignment, metadata, tensors: place(described, dataStart, alignment, reader.byteLength) }
}

/** The tensor's bytes as they are stored. */
export function readTensor(reader: RangeReader, tensor: GgufTensor): Uint8Array {
  return reader.read(tensor.offset, tensor.byteLength)
}

function readValue(cursor: GgufCursor, type: number, key: string): GgufValue {
  if (type !== ARRAY) return scalar(cursor, type, key).read()
  const elementType = cursor.u32()
  if (elementType === ARRAY) throw new GgufError('nested_array', `${key} is an array of arrays`)
  const { read, bytes } = scalar(cursor, elementType, key)
  return Array.from({ length: cursor.count(bytes, key) }, read) as GgufValue
}

function scalar(cursor: GgufCursor, type: number, key: string): { read: () => number | boolean | string; bytes: number } {
  const { u8, i8, u16, i16, u32, i32, f32, bool, string, u64, i64, f64 } = cursor
  const readers = [u8, i8, u16, i16, u32, i32, f32, bool, string, undefined, u64, i64, f64]
  const bytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8]
  const read = readers[type]
  if (!read) throw new GgufError('unknown_value_type', `${key} is of the unknown type ${type}`)
  return { read, bytes: bytes[type] as number }
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT
  const valid = typeof alignment === 'number' && alignment > 0 && alignment <= 1 << 20 && (alignment & (alignment - 1)) === 0
  if (!valid) throw new GgufError('invalid_alignment', `general.alignment is ${alignment}, not a power of two`)
  return alignment
}

interface TensorInfo extends Omit<GgufTensor, 'offset'> {
  /** From the start of the tensor data. */
  readonly relativeOffset: number
}

function readTensorInfo(cursor: GgufCursor): TensorInfo {
  const name = cursor.string()
  const rank = cursor.u32()
  if (rank < 1 || rank > MOST_DIMS) throw new GgufError('invalid_dims', `${name} has ${rank} dimensions, not 1 to ${MOST_DIMS}`)
  const dims = Array.from({ length: rank }, () => cursor.u64())
  const elements = dims.reduce((product, dim) => product * dim, 1)
  if (dims.includes(0) || !Number.isSafeInteger(elements)) {
    throw new GgufError('invalid_dims', `${name} is [${dims}], which is no size`)
  }
  const code = cursor.u32()
  const size = typeOfCode(code)
  if (!size) throw new GgufError('unknown_tensor_type', `${name} is of the type ${code}, which is not read`)
  const { type, blockElements, blockBytes } = size
  if ((dims[0] as number) % blockElements !== 0) {
    throw new GgufError('partial_block', `${name} has rows of ${dims[0]}, no multiple of ${blockElements} as ${type} needs`)
  }
  return { name, type, dims, byteLength: (elements / blockElements) * blockBytes, relativeOffset: cursor.u64() }
}

/** Tensors at their places in the file, checked to lie within it and apart. */
function place(
  described: readonly TensorInfo[],
  dataStart: number,
  alignment: number,
  fileLength: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>()
  for (const { relativeOffset, ...tensor } of described) {
    const { name, byteLength } = tensor
    if (tensors.has(name)) throw new GgufError('duplicate_tensor', `there are two tensors ${name}`)
    if (relativeOffset % alignment !== 0) {
      throw new GgufError('misaligned_tensor', `${name} lies at ${relativeOffset}, no multiple of ${alignment}`)
    }
    const offset = dataStart + relativeOffset
    if (offset + byteLength > fileLength) {
      throw new GgufError('tensor_out_of_bounds', `${name} ends at ${offset + byteLength}, the file at ${fileLength}`)
    }
    tensors.set(name, { ...tensor, offset })
  }
  const inOrder = [...tensors.values()].sort((a, b) => a.offset - b.offset)
  for (const [i, { name, offset }] of inOrder.entries()) {
    const before = inOrder[i - 1]
    if (before && before.offset + before.byteLength > offset) {
      throw new GgufError('overlapping_tensors', `${before.name} and ${name} overlap`)
    }
  }
  return tensors
}
