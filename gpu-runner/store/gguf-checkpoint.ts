/** A GGUF checkpoint as an architecture's parameters, its matrices in the block form that ONNX Runtime computes with. */
import { type GgufFile, type GgufTensor, readTensor } from '#models/importers/gguf.ts'
import {
  type Affine,
  dequantize,
  type GgmlType,
  unpackQ4_0,
  unpackQ4_1,
  unpackQ4_K,
  unpackQ8_0,
} from '#models/importers/gguf-quant.ts'
import type { RangeReader } from '#models/importers/range-reader.ts'
import { BLOCK_SIZE, type BlockQuantized, type Matrix, type Parameters } from '#models/nn/parameters.ts'
import { quantize, ZERO_POINT } from '#models/nn/quantize.ts'
import { StoreError } from './store-error.ts'

/** Types whose 4-bit codes stay exactly what they are; whatever else is in a checkpoint becomes 8-bit. */
const AFFINE: Partial<Record<GgmlType, (bytes: Uint8Array) => Affine>> = {
  Q4_0: (bytes) => {
    const { codes, scale } = unpackQ4_0(bytes)
    return { codes, scale, min: scale.map((step) => -8 * step) }
  },
  Q4_1: unpackQ4_1,
  Q4_K: unpackQ4_K,
}

export interface GgufParameters extends Parameters {
  /**
   * Throws StoreError if there is a tensor that none of the calls so far asked for: whoever trained the model has it
   * computed with.
   */
  requireAllUsed(): void
}

/** Throws StoreError if a tensor is missing or of another shape than its use needs. */
export function ggufParameters(file: GgufFile, reader: RangeReader): GgufParameters {
  const used = new Set<string>()
  /** @param dims slowest-changing first */
  const find = (name: string, dims: readonly number[]): GgufTensor => {
    const tensor = file.tensors.get(name)
    if (!tensor) throw new StoreError('invalid_model', `the checkpoint has no tensor ${name}`)
    const actual = tensor.dims.toReversed()
    if (String(actual) !== String(dims)) {
      throw new StoreError('invalid_model', `${name} is [${actual.join(', ')}], not [${dims.join(', ')}]`)
    }
    used.add(name)
    return tensor
  }
  const findMatrix = (name: string, rows: number, columns: number): GgufTensor => {
    const tensor = find(name, [rows, columns])
    if (columns % BLOCK_SIZE === 0) return tensor
    throw new StoreError('invalid_model', `${name} has rows of ${columns} elements, no multiple of ${BLOCK_SIZE}`)
  }
  const read = (tensor: GgufTensor): Part => {
    const { type, dims } = tensor
    return { rows: dims[1] ?? 1, type, bytes: readTensor(reader, tensor) }
  }
  /** Tensors of the same columns and bits, one under the other. */
  const stacked = (tensors: readonly GgufTensor[]): Matrix => {
    const [columns = 0] = tensors[0]?.dims ?? []
    const rows = tensors.reduce((sum, { dims }) => sum + (dims[1] ?? 1), 0)
    const bits = tensors.every(isAffine) ? 4 : 8
    const stack = bits === 4 ? stackAffine : stackSymmetric
    const name = tensors.map((tensor) => tensor.name).join('+')
    return { name, rows, columns, bits, load: () => stack(tensors.map(read), rows, columns) }
  }
  return {
    vector(name, length) {
      const { type, bytes } = read(find(name, [length]))
      return dequantize(type, bytes)
    },
    matrix(columns, name, rows) {
      return stacked([findMatrix(name, rows, columns)])
    },
    stack(columns, rowsOf) {
      const tensors = Object.entries(rowsOf).map(([name, rows]) => findMatrix(name, rows, columns))
      return groups(tensors).map(stacked)
    },
    requireAllUsed() {
      const unused = [...file.tensors.keys()].find((name) => !used.has(name))
      if (unused !== undefined) {
        throw new StoreError('invalid_model', `the checkpoint has ${unused}, which is not computed with here`)
      }
    },
    table(columns, name, rows) {
      const tensor = findMatrix(name, rows, columns)
      return { name, rows, columns, bits: 8, load: () => stackSymmetric([read(tensor)], rows, columns) }
    },
  }
}

const isAffine = ({ type }: GgufTensor): boolean => type in AFFINE

/** Runs of tensors that become the same number of bits. */
function groups(tensors: readonly GgufTensor[]): readonly (readonly GgufTensor[])[] {
  const runs: GgufTensor[][] = []
  for (const tensor of tensors) {
    const last = runs.at(-1)
    if (last?.[0] && isAffine(last[0]) === isAffine(tensor)) last.push(tensor)
    else runs.push([tensor])
  }
  return runs
}

/** A stored tensor; several are stacked one under the other. */
interface Part {
  readonly rows: number
  readonly type: GgmlType
  readonly bytes: Uint8Array
}

/** scale · code + min as scale · (code − 8) + offset. */
function stackAffine(parts: readonly Part[], rows: number, columns: number): BlockQuantized {
  const blocks = columns / BLOCK_SIZE
  const codes = new Uint8Array((rows * columns) / 2)
  const scales = new Float32Array(rows * blocks)
  const offsets = new Float32Array(blocks * rows)
  let at = 0 // in blocks
  for (const { type, bytes } of parts) {
    const unpack = AFFINE[type]
    if (!unpack) throw new TypeError(`${type} has no 4-bit codes`)
    const { codes: unpacked, scale, min } = unpack(bytes)
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

/** By rows at a time: all elements as float32 would take several times the memory of their codes. */
const ROWS_AT_ONCE = 1024

function stackSymmetric(parts: readonly Part[], rows: number, columns: number): BlockQuantized {
  const codes = new Uint8Array(rows * columns)
  const scales = new Float32Array((rows * columns) / BLOCK_SIZE)
  let at = 0
  for (const { type, bytes, rows: count } of parts) {
    const rowBytes = bytes.length / count
    for (let row = 0; row < count; row += ROWS_AT_ONCE) {
      const some = bytes.subarray(row * rowBytes, (row + ROWS_AT_ONCE) * rowBytes)
      const piece = type === 'Q8_0' ? unpackQ8_0(some) : quantize(dequantize(type, some))
      for (let i = 0; i < piece.codes.length; i++) codes[at + i] = (piece.codes[i] as number) + ZERO_POINT
      scales.set(piece.scale, at / BLOCK_SIZE)
      at += piece.codes.length
    }
  }
  return { codes, scales, offsets: new Float32Array() }
}
