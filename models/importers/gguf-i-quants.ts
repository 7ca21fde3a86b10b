/**
 * GGUF's 4-bit I-quants: a code stands for one of sixteen values that are close together around zero and far apart
 * elsewhere. Q2_K and Q3_K files have IQ4_NL where rows are no multiple of 256.
 */
import { half, type Unpack } from './gguf-unpack.ts'

export const I_QUANTS = {
  IQ4_NL: (view, at, out, to) => unpackCodes(view, at + 2, half(view, at), out, to),
  IQ4_XS: unpackIq4Xs,
} satisfies Record<string, Unpack>

/** `kvalues_iq4nl` of ggml. */
const VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const

/** 32 elements, the first half in the low nibbles of 16 bytes. */
function unpackCodes(view: DataView, at: number, scale: number, out: Float32Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const byte = view.getUint8(at + j)
    out[to + j] = scale * (VALUES[byte & 15] as number)
    out[to + 16 + j] = scale * (VALUES[byte >> 4] as number)
  }
}

/** Eight sub-blocks of 32, with 6-bit scales whose low four and high two bits lie apart. */
function unpackIq4Xs(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = half(view, at)
  const high = view.getUint16(at + 2, true)
  for (let sub = 0; sub < 8; sub++) {
    const low = view.getUint8(at + 4 + (sub >> 1)) >> (sub & 1 ? 4 : 0)
    const scale = d * (((low & 15) | (((high >> (2 * sub)) & 3) << 4)) - 32)
    unpackCodes(view, at + 8 + sub * 16, scale, out, to + sub * 32)
  }
}
