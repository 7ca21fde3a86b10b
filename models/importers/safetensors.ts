/**
 * Reads safetensors files (https://github.com/huggingface/safetensors#format): the length of a JSON header, the header,
 * then the tensors' bytes without gaps. As the format's own reader it refuses a tensor whose range is not as long as its
 * shape, and ranges that overlap or leave bytes that are nobody's.
 */
import { dequantize } from './gguf-quant.ts'
import type { RangeReader } from './range-reader.ts'
import { SafetensorsError } from './safetensors-error.ts'

const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const
export type SafetensorsType = keyof typeof ELEMENT_BYTES

export interface SafetensorsTensor {
  readonly name: string
  readonly type: SafetensorsType
  /** Slowest-changing first, as PyTorch has it. */
  readonly shape: readonly number[]
  /** From the start of the file. */
  readonly offset: number
  readonly byteLength: number
}

export interface SafetensorsFile {
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
}

const LENGTH_BYTES = 8
/** The format's own limit. */
const LONGEST_HEADER = 100_000_000
const MOST_DIMS = 8
const METADATA = '__metadata__'
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Throws SafetensorsError for whatever is wrong with the file. */
export function parseSafetensors(reader: RangeReader): SafetensorsFile {
  const { entries, dataStart } = readHeader(reader)
  const metadata = readMetadata(entries.get(METADATA))
  entries.delete(METADATA)
  const tensors = [...entries].map(([name, entry]) => readTensorInfo(name, entry, dataStart))
  requireGapless(tensors, dataStart, reader.byteLength)
  return { metadata, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) }
}

/** The elements of a tensor of floating-point numbers of up to 32 bits. Throws SafetensorsError for another type. */
export function readFloats(reader: RangeReader, { name, type, offset, byteLength }: SafetensorsTensor): Float32Array {
  if (type !== 'F32' && type !== 'F16' && type !== 'BF16') {
    throw new SafetensorsError('unsupported_type', `${name} is of the type ${type}, not F32, F16 or BF16`)
  }
  return dequantize(type, reader.read(offset, byteLength))
}

function readHeader(reader: RangeReader): { entries: Map<string, unknown>; dataStart: number } {
  const left = reader.byteLength - LENGTH_BYTES
  if (left < 0) throw new SafetensorsError('truncated', `the file has ${reader.byteLength} bytes, no header's length`)
  const lengthBytes = reader.read(0, LENGTH_BYTES)
  const length = new DataView(lengthBytes.buffer, lengthBytes.byteOffset).getBigUint64(0, true)
  if (length > LONGEST_HEADER) {
    throw new SafetensorsError('header_too_large', `the header has ${length} bytes, over ${LONGEST_HEADER}`)
  }
  const headerBytes = Number(length)
  if (headerBytes > left) {
    throw new SafetensorsError('truncated', `the header has ${headerBytes} bytes, but only ${left} are left`)
  }
  const text = decode(reader.read(LENGTH_BYTES, headerBytes))
  // The format has no white space before it, so that nothing else is taken for such a file.
  if (!text.startsWith('{')) throw new SafetensorsError('invalid_header', 'the header does not begin with {')
  const header = parseJson(text)
  if (!isObject(header)) throw new SafetensorsError('invalid_header', 'the header is no object')
  if (keysIn(text) !== keysOf(header)) {
    throw new SafetensorsError('duplicate_key', 'the header has a key twice, or one that is deeper than a tensor’s')
  }
  return { entries: new Map(Object.entries(header)), dataStart: LENGTH_BYTES + headerBytes }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new SafetensorsError('invalid_header', 'the header is not UTF-8')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SafetensorsError('invalid_header', 'the header is not JSON')
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Keys as they are written in legal JSON: the texts that a colon follows. */
function keysIn(json: string): number {
  let keys = 0
  for (let at = json.indexOf('"'); at >= 0; at = json.indexOf('"', at)) {
    at++
    while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1
    at++
    while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at++
    if (json[at] === ':') keys++
  }
  return keys
}

/** Keys that are left when of each only the last counts, as `JSON.parse` has it; in depth as far as a header goes. */
function keysOf(header: Readonly<Record<string, unknown>>): number {
  const inner = Object.values(header).filter(isObject)
  return [header, ...inner].reduce((sum, value) => sum + Object.keys(value).length, 0)
}

function readMetadata(entry: unknown): Map<string, string> {
  if (entry === undefined) return new Map()
  if (!isObject(entry)) throw new SafetensorsError('invalid_header', `${METADATA} is no object`)
  return new Map(
    Object.entries(entry).map(([key, value]) => {
      if (typeof value === 'string') return [key, value]
      throw new SafetensorsError('invalid_header', `${METADATA} has ${shortened(key)}, which is no text`)
    }),
  )
}

function readTensorInfo(key: string, entry: unknown, dataStart: number): SafetensorsTensor {
  const name = shortened(key)
  if (!isObject(entry)) throw new SafetensorsError('invalid_tensor', `${name} is no object`)
  const { dtype, shape, data_offsets: range, ...rest } = entry
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) {
    throw new SafetensorsError('invalid_tensor', `${name} has an unknown key ${shortened(unknown)}`)
  }
  if (typeof dtype !== 'string' || !isType(dtype)) {
    throw new SafetensorsError('unknown_type', `${name} is of the unknown type ${shortened(String(dtype))}`)
  }
  if (!isCounts(shape) || shape.length > MOST_DIMS) {
    throw new SafetensorsError('invalid_shape', `the shape of ${name} is no list of up to ${MOST_DIMS} lengths`)
  }
  if (!isCounts(range) || range.length !== 2) {
    throw new SafetensorsError('invalid_range', `data_offsets of ${name} are not a begin and an end`)
  }
  const [begin = 0, end = 0] = range
  const byteLength = shape.reduce((product, dim) => product * dim, ELEMENT_BYTES[dtype])
  if (!Number.isSafeInteger(byteLength) || end - begin !== byteLength) {
    const size = `[${shape.join(', ')}] of ${dtype}`
    throw new SafetensorsError('shape_mismatch', `${name} has ${end - begin} bytes, but is ${size}`)
  }
  return { name: key, type: dtype, shape, offset: dataStart + begin, byteLength }
}

const isType = (dtype: string): dtype is SafetensorsType => Object.hasOwn(ELEMENT_BYTES, dtype)
const isCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((element) => Number.isSafeInteger(element) && element >= 0)

const LONGEST_SHOWN = 100
const shortened = (name: string) => (name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name)

/** Ranges follow each other from the header to the end of the file. */
function requireGapless(tensors: readonly SafetensorsTensor[], dataStart: number, fileLength: number): void {
  let end = dataStart
  let before = 'the header'
  for (const { name, offset, byteLength } of tensors.toSorted(
    (a, b) => a.offset - b.offset || a.byteLength - b.byteLength,
  )) {
    if (offset < end) throw new SafetensorsError('overlapping_tensors', `${before} and ${shortened(name)} overlap`)
    if (offset > end) {
      throw new SafetensorsError('hole', `${offset - end} bytes between ${before} and ${shortened(name)} are nobody's`)
    }
    end = offset + byteLength
    before = shortened(name)
  }
  if (end > fileLength) throw new SafetensorsError('truncated', `${before} ends at ${end}, the file at ${fileLength}`)
  if (end < fileLength) throw new SafetensorsError('hole', `${fileLength - end} bytes after ${before} are nobody's`)
}
