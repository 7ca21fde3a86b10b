/**
 * GGUF's tensor types: their sizes, and their elements as float32. Formats as in ggml's `ggml-common.h`; a block holds
 * 32 elements, a K-block 256.
 */
import { GgufError } from './gguf-error.ts'
import { I_QUANTS } from './gguf-i-quants.ts'
import { K_QUANTS, nibble, scaleAndMin } from './gguf-k-quants.ts'
import { half, type Unpack } from './gguf-unpack.ts'

/** By its number in the file: name, elements and bytes of a block. */
const TYPES = {
  0: ['F32', 1, 4],
  1: ['F16', 1, 2],
  2: ['Q4_0', 32, 18],
  3: ['Q4_1', 32, 20],
  6: ['Q5_0', 32, 22],
  7: ['Q5_1', 32, 24],
  8: ['Q8_0', 32, 34],
  10: ['Q2_K', 256, 84],
  11: ['Q3_K', 256, 110],
  12: ['Q4_K', 256, 144],
  13: ['Q5_K', 256, 176],
  14: ['Q6_K', 256, 210],
  20: ['IQ4_NL', 32, 18],
  23: ['IQ4_XS', 256, 136],
  30: ['BF16', 1, 2],
} as const
export type GgmlType = (typeof TYPES)[keyof typeof TYPES][0]

export interface TypeSize {
  readonly type: GgmlType
  readonly blockElements: number
  readonly blockBytes: number
}
const SIZES = new Map<number, TypeSize>(
  Object.entries(TYPES).map(([code, [type, blockElements, blockBytes]]) => [
    Number(code),
    { type, blockElements, blockBytes },
  ]),
)
const BY_NAME = new Map([...SIZES.values()].map((size) => [size.type, size]))

export const typeOfCode = (code: number): TypeSize | undefined => SIZES.get(code)

const q4 =
  (quants: number, code: (d: number, m: number, nibble: number) => number): Unpack =>
  (view, at, out, to) => {
    const d = half(view, at)
    const m = quants === 4 ? half(view, at + 2) : 0
    for (let j = 0; j < 16; j++) {
      const byte = view.getUint8(at + quants + j)
      out[to + j] = code(d, m, byte & 15)
      out[to + 16 + j] = code(d, m, byte >> 4)
    }
  }
const q5 =
  (high: number, code: (d: number, m: number, value: number) => number): Unpack =>
  (view, at, out, to) => {
    const d = half(view, at)
    const m = high === 4 ? half(view, at + 2) : 0
    const fifths = view.getUint32(at + high, true)
    for (let j = 0; j < 16; j++) {
      const byte = view.getUint8(at + high + 4 + j)
      out[to + j] = code(d, m, (byte & 15) | (((fifths >>> j) & 1) << 4))
      out[to + 16 + j] = code(d, m, (byte >> 4) | (((fifths >>> (j + 16)) & 1) << 4))
    }
  }

const UNPACK: Record<GgmlType, Unpack> = {
  F32: (view, at, out, to) => {
    out[to] = view.getFloat32(at, true)
  },
  F16: (view, at, out, to) => {
    out[to] = half(view, at)
  },
  BF16: (view, at, out, to) => {
    bits[0] = view.getUint16(at, true) << 16
    out[to] = asFloat[0] as number
  },
  Q4_0: q4(2, (d, _, nibble) => d * (nibble - 8)),
  Q4_1: q4(4, (d, m, nibble) => d * nibble + m),
  Q5_0: q5(2, (d, _, value) => d * (value - 16)),
  Q5_1: q5(4, (d, m, value) => d * value + m),
  Q8_0: (view, at, out, to) => {
    const d = half(view, at)
    for (let j = 0; j < 32; j++) out[to + j] = d * view.getInt8(at + 2 + j)
  },
  ...K_QUANTS,
  ...I_QUANTS,
}
const bits = new Uint32Array(1)
const asFloat = new Float32Array(bits.buffer)

/**
 * The elements of whole blocks, in `out` if it is given.
 * @throws GgufError if `bytes` ends inside a block
 * @throws RangeError if `out` is not of their number
 */
export function dequantize(type: GgmlType, bytes: Uint8Array, out?: Float32Array): Float32Array {
  const { blockElements, blockBytes } = BY_NAME.get(type) as TypeSize
  const blocks = wholeBlocks(bytes, blockBytes, type)
  const elements = blocks * blockElements
  if (out && out.length !== elements) throw new RangeError(`${elements} elements do not fit an array of ${out.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  out ??= new Float32Array(elements)
  const unpack = UNPACK[type]
  for (let block = 0; block < blocks; block++) unpack(view, block * blockBytes, out, block * blockElements)
  return out
}

/** Q4_0 as it is stored, codes 0 to 15: element = scale of its block · (code − 8). */
export function unpackQ4_0(bytes: Uint8Array): { codes: Uint8Array; scale: Float32Array } {
  const { codes, blocks, view } = nibbles(bytes, 18, 2, 'Q4_0')
  return { codes, scale: Float32Array.from({ length: blocks }, (_, block) => half(view, block * 18)) }
}

/** Codes 0 to 15: element = scale of its 32 elements · code + their min. */
export interface Affine {
  readonly codes: Uint8Array
  readonly scale: Float32Array
  readonly min: Float32Array
}

/** Q4_1 as it is stored. */
export function unpackQ4_1(bytes: Uint8Array): Affine {
  const { codes, blocks, view } = nibbles(bytes, 20, 4, 'Q4_1')
  const scale = new Float32Array(blocks)
  const min = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    scale[block] = half(view, block * 20)
    min[block] = half(view, block * 20 + 2)
  }
  return { codes, scale, min }
}

/** Q4_K, its sub-blocks of 32 as blocks of their own. */
export function unpackQ4_K(bytes: Uint8Array): Affine {
  const blocks = wholeBlocks(bytes, 144, 'Q4_K')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const codes = new Uint8Array(blocks * 256)
  const scale = new Float32Array(blocks * 8)
  const min = new Float32Array(blocks * 8)
  for (let block = 0; block < blocks; block++) {
    for (let sub = 0; sub < 8; sub++) {
      const at = block * 8 + sub
      ;[scale[at], min[at]] = scaleAndMin(view, block * 144, sub)
      for (let j = 0; j < 32; j++) codes[at * 32 + j] = nibble(view, block * 144 + 16, sub, j)
    }
  }
  return { codes, scale, min }
}

/** The codes of 32 elements lie in 16 bytes, the first half of the elements in the low nibbles. */
function nibbles(bytes: Uint8Array, blockBytes: number, quants: number, type: GgmlType) {
  const blocks = wholeBlocks(bytes, blockBytes, type)
  const codes = new Uint8Array(blocks * 32)
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes + quants
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + j] as number
      codes[block * 32 + j] = byte & 15
      codes[block * 32 + 16 + j] = byte >> 4
    }
  }
  return { codes, blocks, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}

/** Q8_0 as it is stored: element = scale of its block · code. */
export function unpackQ8_0(bytes: Uint8Array): { codes: Int8Array; scale: Float32Array } {
  const blocks = wholeBlocks(bytes, 34, 'Q8_0')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const codes = new Int8Array(blocks * 32)
  const scale = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const at = block * 34
    scale[block] = half(view, at)
    codes.set(new Int8Array(bytes.buffer, bytes.byteOffset + at + 2, 32), block * 32)
  }
  return { codes, scale }
}

function wholeBlocks(bytes: Uint8Array, blockBytes: number, type: GgmlType): number {
  const blocks = bytes.length / blockBytes
  if (!Number.isInteger(blocks))
    throw new GgufError('partial_block', `${bytes.length} bytes end inside a block of ${type}`)
  return blocks
}
