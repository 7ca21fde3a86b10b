/** A GGUF checkpoint as an architecture's parameters, its matrices in the block form that ONNX Runtime computes with. */
import { type GgufFile, type GgufTensor, readTensor } from '#models/importers/gguf.ts'
import { dequantize, type GgmlType, unpackQ4_1, unpackQ8_0 } from '#models/importers/gguf-quant.ts'
import type { RangeReader } from '#models/importers/range-reader.ts'
import { BLOCK_SIZE, type BlockQuantized, type Matrix, type Parameters } from '#models/nn/parameters.ts'
import { StoreError } from './store-error.ts'

const ZERO_POINT = 128
const GREATEST_CODE = 127

/** Throws StoreError if a tensor is missing or of another shape than its use needs. */
export function ggufParameters(file: GgufFile, reader: RangeReader): Parameters {
  const find = (name: string): GgufTensor => {
    const tensor = file.tensors.get(name)
    if (!tensor) throw new StoreError('invalid_model', `the checkpoint has no tensor ${name}`)
    return tensor
  }
  return {
    vector(name) {
      const tensor = find(name)
      return dequantize(tensor.type, readTensor(reader, tensor))
    },
    matrix(...names) {
      const tensors = names.map(find)
      const columns = tensors[0]?.dims[0] ?? 0
      for (const { name, dims } of tensors) {
        if (dims.length !== 2 || dims[0] !== columns || columns % BLOCK_SIZE !== 0) {
          throw new StoreError('invalid_model', `${name} is [${dims}], not a matrix of ${columns} columns`)
        }
      }
      const rows = tensors.reduce((sum, { dims }) => sum + (dims[1] ?? 0), 0)
      // 4-bit blocks stay exactly what they are; whatever else is in the checkpoint becomes 8-bit.
      const bits = tensors.every(({ type }) => type === 'Q4_1') ? 4 : 8
      const stack = bits === 4 ? stackAffine : stackSymmetric
      const parts = () => tensors.map((tensor) => ({ type: tensor.type, bytes: readTensor(reader, tensor) }))
      return { name: names.join('+'), rows, columns, bits, load: () => stack(parts(), rows, columns) } satisfies Matrix
    },
  }
}

/** A stored tensor; several are stacked one under the other. */
interface Part {
  readonly type: GgmlType
  readonly bytes: Uint8Array
}

/** Q4_1's scale · code + min as scale · (code − 8) + offset. */
function stackAffine(parts: readonly Part[], rows: number, columns: number): BlockQuantized {
  const blocks = columns / BLOCK_SIZE
  const codes = new Uint8Array((rows * columns) / 2)
  const scales = new Float32Array(rows * blocks)
  const offsets = new Float32Array(blocks * rows)
  let at = 0 // in blocks
  for (const { bytes } of parts) {
    const { codes: unpacked, scale, min } = unpackQ4_1(bytes)
    for (let i = 0; i < unpacked.length; i += 2) {
      codes[(at * BLOCK_SIZE + i) / 2] = (unpacked[i] as number) | ((unpacked[i + 1] as number) << 4)
    }
    scales.set(scale, at)
    for (const [i, least] of min.entries()) {
      const row = Math.floor((at + i) / blocks)
      offsets[((at + i) % blocks) * rows + row] = least + 8 * (scale[i] as number)
    }
    at += scale.length
  }
  return { codes, scales, offsets }
}

function stackSymmetric(parts: readonly Part[], rows: number, columns: number): BlockQuantized {
  const codes = new Uint8Array(rows * columns)
  const scales = new Float32Array((rows * columns) / BLOCK_SIZE)
  let at = 0
  for (const { type, bytes } of parts) {
    const part = type === 'Q8_0' ? unpackQ8_0(bytes) : quantize(dequantize(type, bytes))
    for (const [i, code] of part.codes.entries()) codes[at + i] = code + ZERO_POINT
    scales.set(part.scale, at / BLOCK_SIZE)
    at += part.codes.length
  }
  return { codes, scales, offsets: new Float32Array() }
}

/** Symmetric 8-bit codes by block: the greatest magnitude becomes ±127. */
function quantize(elements: Float32Array): { codes: Int8Array; scale: Float32Array } {
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
