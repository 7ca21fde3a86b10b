/** What the readers of GGUF's tensor types share. */

/** Writes the elements of the block at `at` to `out` from `to` on. */
export type Unpack = (view: DataView, at: number, out: Float32Array, to: number) => void

const HALF = halfTable()

/** All float16 values by their bits. */
function halfTable(): Float32Array {
  const table = new Float32Array(1 << 16)
  for (let bits = 0; bits < table.length; bits++) {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    if (exponent === 31) table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    else table[bits] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }
  return table
}

/** The float16 at `at`. */
export const half = (view: DataView, at: number): number => HALF[view.getUint16(at, true)] as number
