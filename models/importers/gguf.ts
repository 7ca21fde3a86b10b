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
/** Elements of all metadata arrays together: in memory an element takes more room than in the file. */
const MOST_ELEMENTS = 1 << 23
/** As in ggml (`GGML_MAX_NAME`), with the zero at the end. */
const LONGEST_NAME = 63
/** The longest alignment that is believed; real files have 32, or a page. */
const GREATEST_ALIGNMENT = 1 << 20
const DEFAULT_ALIGNMENT = 32
const UINT32 = 4
const ARRAY = 9
const ALIGNMENT_KEY = 'general.alignment'
/** Bytes that the smallest entry takes: key length and type; name length, dims, type and offset. */
const KEY_BYTES = 13
const TENSOR_BYTES = 32

/** Throws GgufError for whatever is wrong with the file. */
export function parseGguf(reader: RangeReader): GgufFile {
  const cursor = new GgufCursor(reader)
  const magic = cursor.u32()
  if (magic !== MAGIC) throw new GgufError('bad_magic', 'the file does not begin with GGUF')
  const version = cursor.u32()
  if (version !== 0 && (version & 0xffff) === 0) throw new GgufError('big_endian', 'the file is big-endian')
  if (version !== 2 && version !== 3) throw new GgufError('unsupported_version', `GGUF version ${version} is not read`)
  const tensorCount = cursor.count(TENSOR_BYTES, 'the list of tensors')
  const keyCount = cursor.count(KEY_BYTES, 'the metadata')
  if (keyCount > MOST_KEYS) throw new GgufError('invalid_count', `${keyCount} metadata keys are more than ${MOST_KEYS}`)
  const metadata = readMetadata(cursor, keyCount)
  const alignment = readAlignment(metadata)
  const described = Array.from({ length: tensorCount }, () => readTensorInfo(cursor))
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment
  return { version, alignment, metadata, tensors: place(described, dataStart, alignment, reader.byteLength) }
}

/** The tensor's bytes as they are stored. */
export function readTensor(reader: RangeReader, tensor: GgufTensor): Uint8Array {
  return reader.read(tensor.offset, tensor.byteLength)
}

function readMetadata(cursor: GgufCursor, keyCount: number): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>()
  let elements = 0
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.string()
    if (key === '') throw new GgufError('invalid_name', `the metadata key at ${cursor.offset} is empty`)
    if (metadata.has(key)) throw new GgufError('duplicate_key', `the metadata has ${key} twice`)
    const type = cursor.u32()
    if (key === ALIGNMENT_KEY && type !== UINT32) {
      throw new GgufError('invalid_alignment', `${key} is of the type ${type}, not ${UINT32}`)
    }
    const value = type === ARRAY ? readArray(cursor, key, MOST_ELEMENTS - elements) : scalar(cursor, type, key).read()
    if (Array.isArray(value)) elements += value.length
    metadata.set(key, value)
  }
  return metadata
}

function readArray(cursor: GgufCursor, key: string, most: number): GgufValue {
  const type = cursor.u32()
  if (type === ARRAY) throw new GgufError('nested_array', `${key} is an array of arrays`)
  const { read, bytes } = scalar(cursor, type, key)
  const length = cursor.count(bytes, key)
  if (length > most)
    throw new GgufError('invalid_count', `${key} brings the metadata to over ${MOST_ELEMENTS} elements`)
  return Array.from({ length }, read) as GgufValue
}

function scalar(
  cursor: GgufCursor,
  type: number,
  key: string,
): { read: () => number | boolean | string; bytes: number } {
  const { u8, i8, u16, i16, u32, i32, f32, bool, string, u64, i64, f64 } = cursor
  const readers = [u8, i8, u16, i16, u32, i32, f32, bool, string, undefined, u64, i64, f64]
  const bytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8]
  const read = readers[type]
  if (!read) throw new GgufError('unknown_value_type', `${key} is of the unknown type ${type}`)
  return { read, bytes: bytes[type] as number }
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get(ALIGNMENT_KEY) ?? DEFAULT_ALIGNMENT
  if (
    typeof alignment !== 'number' ||
    alignment < 1 ||
    alignment > GREATEST_ALIGNMENT ||
    (alignment & (alignment - 1)) !== 0
  ) {
    throw new GgufError(
      'invalid_alignment',
      `${ALIGNMENT_KEY} is ${alignment}, not a power of two up to ${GREATEST_ALIGNMENT}`,
    )
  }
  return alignment
}

interface TensorInfo extends Omit<GgufTensor, 'offset'> {
  /** From the start of the tensor data. */
  readonly relativeOffset: number
}

function readTensorInfo(cursor: GgufCursor): TensorInfo {
  const nameStart = cursor.offset
  const name = cursor.string()
  if (name === '' || cursor.offset - nameStart - 8 > LONGEST_NAME) {
    throw new GgufError('invalid_name', `the tensor name at ${nameStart} has not 1 to ${LONGEST_NAME} bytes`)
  }
  const rank = cursor.u32()
  if (rank < 1 || rank > MOST_DIMS)
    throw new GgufError('invalid_dims', `${name} has ${rank} dimensions, not 1 to ${MOST_DIMS}`)
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
    throw new GgufError(
      'partial_block',
      `${name} has rows of ${dims[0]}, no multiple of ${blockElements} as ${type} needs`,
    )
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
