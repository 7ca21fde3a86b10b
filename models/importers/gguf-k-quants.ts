/**
 * GGUF's K-quants: 256 elements in sub-blocks, each with a small scale (and a small minimum) of its own, which a float16
 * or two of the whole block multiply. A product of the three is exact in float32.
 */
import { half, type Unpack } from './gguf-unpack.ts'

export const K_QUANTS = {
  Q2_K: unpackQ2K,
  Q3_K: unpackQ3K,
  Q4_K: unpackQ4K,
  Q5_K: unpackQ5K,
  Q6_K: unpackQ6K,
} satisfies Record<string, Unpack>

/** Sixteen sub-blocks of 16, scale and minimum of each in one byte; four 2-bit codes to a byte. */
function unpackQ2K(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 80)
  const dmin = half(view, at + 82)
  for (let sub = 0; sub < 16; sub++) {
    const both = view.getUint8(at + sub)
    const [scale, min] = [d * (both & 15), dmin * (both >> 4)]
    const quants = at + 16 + twoBitPlace(sub)
    for (let j = 0; j < 16; j++) {
      const code = (view.getUint8(quants + j) >> twoBitShift(sub)) & 3
      out[to + sub * 16 + j] = scale * code - min
    }
  }
}

/** Sixteen sub-blocks of 16, with 6-bit scales; the low two bits and the high bit of a code lie apart. */
function unpackQ3K(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 108)
  for (let sub = 0; sub < 16; sub++) {
    const low = view.getUint8(at + 96 + (sub & 7))
    const high = view.getUint8(at + 104 + (sub & 3)) >> (2 * (sub >> 2))
    const scale = d * (((sub < 8 ? low & 15 : low >> 4) | ((high & 3) << 4)) - 32)
    const quants = at + 32 + twoBitPlace(sub)
    for (let j = 0; j < 16; j++) {
      const code = (view.getUint8(quants + j) >> twoBitShift(sub)) & 3
      const set = (view.getUint8(at + (sub & 1) * 16 + j) >> (sub >> 1)) & 1
      out[to + sub * 16 + j] = scale * (code - (set ? 0 : 4))
    }
  }
}

/** Of 128 elements, the first 32 lie in the low bits of 32 bytes, the next 32 in the bits above, and so on. */
const twoBitPlace = (sub: number) => (sub >> 3) * 32 + (sub & 1) * 16
const twoBitShift = (sub: number) => 2 * ((sub >> 1) & 3)

function unpackQ4K(view: DataView, at: number, out: Float32Array, to: number): void {
  for (let sub = 0; sub < 8; sub++) {
    const [scale, min] = scaleAndMin(view, at, sub)
    for (let j = 0; j < 32; j++) out[to + sub * 32 + j] = scale * nibble(view, at + 16, sub, j) + min
  }
}

/** As Q4_K, and a fifth bit for each code, that of the first sub-block the lowest in its byte. */
function unpackQ5K(view: DataView, at: number, out: Float32Array, to: number): void {
  for (let sub = 0; sub < 8; sub++) {
    const [scale, min] = scaleAndMin(view, at, sub)
    for (let j = 0; j < 32; j++) {
      const fifth = (view.getUint8(at + 16 + j) >> sub) & 1
      out[to + sub * 32 + j] = scale * (nibble(view, at + 48, sub, j) | (fifth << 4)) + min
    }
  }
}

/** Of Q4_K and Q5_K: eight sub-blocks of 32, their 6-bit scales and minima packed into 12 bytes. A code of 0 is `min`. */
export function scaleAndMin(view: DataView, at: number, sub: number): readonly [scale: number, min: number] {
  const packed = (i: number) => view.getUint8(at + 4 + i)
  const [scale, min] =
    sub < 4
      ? [packed(sub) & 63, packed(sub + 4) & 63]
      : [(packed(sub + 4) & 15) | ((packed(sub - 4) >> 6) << 4), (packed(sub + 4) >> 4) | ((packed(sub) >> 6) << 4)]
  return [half(view, at) * scale, -half(view, at + 2) * min]
}

/** Two sub-blocks share 32 bytes, the even one in the low halves. */
export function nibble(view: DataView, quants: number, sub: number, j: number): number {
  const byte = view.getUint8(quants + (sub >> 1) * 32 + j)
  return sub & 1 ? byte >> 4 : byte & 15
}

/** Sixteen sub-blocks of 16; the low four and the high two bits of a code lie apart. */
function unpackQ6K(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at + 208)
  for (let part = 0; part < 2; part++) {
    const low = at + part * 64
    const high = at + 128 + part * 32
    const scales = at + 192 + part * 8
    for (let j = 0; j < 32; j++) {
      const top = view.getUint8(high + j)
      for (let quarter = 0; quarter < 4; quarter++) {
        const byte = view.getUint8(low + j + (quarter & 1) * 32)
        const code = ((quarter < 2 ? byte & 15 : byte >> 4) | (((top >> (quarter * 2)) & 3) << 4)) - 32
        out[to + part * 128 + quarter * 32 + j] = d * view.getInt8(scales + (j >> 4) + quarter * 2) * code
      }
    }
  }
}
