/** A GGUF checkpoint as an architecture's parameters, its matrices in the block form that ONNX Runtime computes with. */
import { type GgufFile, type GgufTensor, readTensor } from '#models/importers/gguf.ts'
import { dequantize, unpackQ8_0 } from '#models/importers/gguf-quant.ts'
import type { RangeReader } from '#models/importers/range-reader.ts'
import type { BlockQuantized, Matrix, Parameters } from '#models/nn/parameters.ts'
import { StoreError } from './store-error.ts'

/** As in GGUF's own 8-bit format: short blocks keep the error of one outlier to its neighbours. */
const BLOCK = 32
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
        if (dims.length !== 2 || dims[0] !== columns || columns % BLOCK !== 0) {
          throw new StoreError('invalid_model', `${name} is [${dims}], not a matrix of ${columns} columns`)
        }
      }
      const rows = tensors.reduce((sum, { dims }) => sum + (dims[1] ?? 0), 0)
      const load = () => stack(tensors, reader, rows * columns)
      return { name: names.join('+'), rows, columns, bits: 8, blockSize: BLOCK, load } satisfies Matrix
    },
  }
}

/** Several matrices of equal width, one under the other. */
function stack(tensors: readonly GgufTensor[], reader: RangeReader, elements: number): BlockQuantized {
  const codes = new Uint8Array(elements)
  const scales = new Float32Array(elements / BLOCK)
  let at = 0
  for (const tensor of tensors) {
    const bytes = readTensor(reader, tensor)
    const part = tensor.type === 'Q8_0' ? unpackQ8_0(bytes) : quantize(dequantize(tensor.type, bytes))
    for (const [i, code] of part.codes.entries()) codes[at + i] = code + ZERO_POINT
    scales.set(part.scale, at / BLOCK)
    at += part.codes.length
  }
  return { codes, scales }
}

/** Symmetric 8-bit codes by block: the greatest magnitude becomes ±127. */
function quantize(elements: Float32Array): { codes: Int8Array; scale: Float32Array } {
  const codes = new Int8Array(elements.length)
  const scale = new Float32Array(elements.length / BLOCK)
  for (let block = 0; block < scale.length; block++) {
    const start = block * BLOCK
    let greatest = 0
    for (let i = start; i < start + BLOCK; i++) greatest = Math.max(greatest, Math.abs(elements[i] as number))
    if (greatest === 0) continue
    const step = greatest / GREATEST_CODE
    scale[block] = step
    for (let i = start; i < start + BLOCK; i++) codes[i] = Math.round((elements[i] as number) / step)
  }
  return { codes, scale }
}
