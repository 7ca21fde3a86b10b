/** Linear layers over matrices that stay quantised: y = x · Wᵀ. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import type { BlockQuantized, Matrix } from './parameters.ts'

/** MatMulNBits: activations are quantised to 8 bits by block, sums are of integers. */
const INT8_ACTIVATIONS = 4

/** x [..., columns] → [..., rows] */
export function linear(g: GraphBuilder, x: Value, matrix: Matrix): Value {
  const { codes, scales } = matrixWeights(g, matrix, 'linear')
  const { rows: N, columns: K, bits, blockSize: block_size } = matrix
  const [y] = g.op('MatMulNBits', [x, codes, scales], { K, N, bits, block_size, accuracy_level: INT8_ACTIVATIONS })
  return y
}

/** ids [...] → the rows of the table they name, [..., columns] */
export function embedding(g: GraphBuilder, ids: Value, matrix: Matrix): Value {
  const { codes, scales } = matrixWeights(g, matrix, 'rows')
  const { bits, blockSize: block_size } = matrix
  const [rows] = g.op('GatherBlockQuantized', [codes, ids, scales], { bits, block_size, gather_axis: 0, quantize_axis: 1 })
  return rows
}

/** The weights as the operator wants their dimensions; both forms of one matrix share their bytes in the file. */
function matrixWeights(g: GraphBuilder, matrix: Matrix, form: 'linear' | 'rows'): { codes: Value; scales: Value } {
  const { name, rows, columns, bits, blockSize } = matrix
  const load = once(() => matrix.load())
  const blocks = Math.ceil(columns / blockSize)
  const codesShape = form === 'linear' ? [rows, blocks, (blockSize * bits) / 8] : [rows, (columns * bits) / 8]
  return {
    codes: g.weight(`${name}.${form}.codes`, 'uint8', codesShape, () => load().codes, `${name}.codes`),
    scales: g.weight(`${name}.${form}.scales`, 'float32', [rows, blocks], () => load().scales, `${name}.scales`),
  }
}

/** Codes and scales are written one after the other: the conversion behind them runs once and is then let go. */
function once(load: () => BlockQuantized): () => BlockQuantized {
  let loaded: BlockQuantized | undefined
  return () => {
    if (!loaded) {
      loaded = load()
      return loaded
    }
    const last = loaded
    loaded = undefined
    return last
  }
}
