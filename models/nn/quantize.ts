/** Elements as 8-bit codes with a scale for each block of a row. */
import { BLOCK_SIZE, type BlockQuantized } from './parameters.ts'

const GREATEST_CODE = 127
/** The code of zero, where codes are not signed. */
export const ZERO_POINT = 128

/** Symmetric 8-bit codes by block: the greatest magnitude becomes ±127. */
export function quantize(elements: Float32Array): { codes: Int8Array; scale: Float32Array } {
  const codes = new Int8Array(elements.length)
  const scale = new Float32Array(elements.length / BLOCK_SIZE)
  for (let block = 0; block < scale.length; block++) {
    const start = block * BLOCK_SIZE
    let greatest = 0
    for (let i = start; i < start + BLOCK_SIZE; i++) greatest = Math.max(greatest, Math.abs(elements[i] as number))
    if (greatest === 0) continue
    const step = greatest / GREATEST_CODE
    scale[block] = step
    for (let i = start; i < start + BLOCK_SIZE; i++) codes[i] = Math.round((elements[i] as number) / step)
  }
  return { codes, scale }
}

/** A matrix, row after row, as MatMulNBits has it with 8 bits. */
export function quantizedMatrix(elements: Float32Array): BlockQuantized {
  const { codes, scale } = quantize(elements)
  const unsigned = new Uint8Array(codes.length)
  for (let i = 0; i < codes.length; i++) unsigned[i] = (codes[i] as number) + ZERO_POINT
  return { codes: unsigned, scales: scale, offsets: new Float32Array() }
}
