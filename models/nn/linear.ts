/** Linear layers over matrices that stay quantised: y = x · Wᵀ. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { BLOCK_SIZE, type BlockQuantized, type Matrix } from './parameters.ts'

/**
 * MatMulNBits' `accuracy_level`. With 4-bit weights activations stay float32: rounding them to 8 bits by block (level 4)
 * is a tenth quicker, but moves the logits of a small model by as much as a close choice between two tokens. With 8-bit
 * weights there is no quick kernel for float32; those are the output layer's, where rounding is felt once.
 */
const ACCURACY_LEVEL = { 4: 1, 8: 4 } as const

/** x [..., columns] → [..., rows]; `bias` is [rows]. */
export function linear(g: GraphBuilder, x: Value, matrix: Matrix, bias?: Value): Value {
  const { name, rows: N, columns: K, bits } = matrix
  const blocks = K / BLOCK_SIZE
  const load = keepUntil(bits === 4 ? 3 : 2, () => matrix.load())
  const codes = g.weight(
    `${name}.codes`,
    'uint8',
    [N, blocks, (BLOCK_SIZE * bits) / 8],
    () => load().codes,
    `${name}.codes`,
  )
  const scales = g.weight(`${name}.scales`, 'float32', [N, blocks], () => load().scales, `${name}.scales`)
  const attributes = { K, N, bits, block_size: BLOCK_SIZE, accuracy_level: ACCURACY_LEVEL[bits] }
  const inputs = [x, codes, scales, ...(bias ? [null, null, bias] : [])]
  const [y] = g.op('MatMulNBits', inputs, attributes)
  if (bits === 8) return y
  // An offset is the same for a whole block, so it meets the sum of the block's inputs. As zero points of MatMulNBits,
  // which may be fractions too, the offsets would take it off its fast path.
  const [sums] = g.op('MatMul', [x, blockIndicator(g, K)], {}) // [..., blocks]
  const offsets = g.weight(`${name}.offsets`, 'float32', [blocks, N], () => load().offsets)
  const [shift] = g.op('MatMul', [sums, offsets], {})
  return g.op('Add', [y, shift], {})[0]
}

/** x [..., columns] → what `linear` makes of each matrix, side by side; `bias` is as long as they are together. */
export function stackedLinear(g: GraphBuilder, x: Value, matrices: readonly Matrix[], bias?: Value): Value {
  const [only, ...more] = matrices
  if (only && more.length === 0) return linear(g, x, only, bias)
  const parts = matrices.map((matrix) => linear(g, x, matrix))
  const [joined] = g.op('Concat', parts, { axis: -1 })
  return bias ? g.op('Add', [joined, bias], {})[0] : joined
}

/** ids [...] → the rows of an 8-bit table that they name, [..., columns]. `linear` over it shares its bytes. */
export function embedding(g: GraphBuilder, ids: Value, table: Matrix & { readonly bits: 8 }): Value {
  const { name, rows, columns, bits } = table
  const load = keepUntil(2, () => table.load())
  const codes = g.weight(`${name}.rows.codes`, 'uint8', [rows, columns], () => load().codes, `${name}.codes`)
  const shape = [rows, columns / BLOCK_SIZE]
  const scales = g.weight(`${name}.rows.scales`, 'float32', shape, () => load().scales, `${name}.scales`)
  const attributes = { bits, block_size: BLOCK_SIZE, gather_axis: 0, quantize_axis: 1 }
  return g.op('GatherBlockQuantized', [codes, ids, scales], attributes)[0]
}

/** [columns, blocks], 1 where the column is of the block. */
function blockIndicator(g: GraphBuilder, columns: number): Value {
  const blocks = columns / BLOCK_SIZE
  return g.shared(`blocks_of_${columns}`, 'float32', [columns, blocks], () =>
    Float32Array.from({ length: columns * blocks }, (_, i) => {
      const column = Math.floor(i / blocks)
      return Math.floor(column / BLOCK_SIZE) === i % blocks ? 1 : 0
    }),
  )
}

/** A matrix's parts are written one after the other: the conversion behind them runs once, then is let go. */
function keepUntil(uses: number, load: () => BlockQuantized): () => BlockQuantized {
  let kept: BlockQuantized | undefined
  let used = 0
  return () => {
    const loaded = kept ?? load()
    used++
    kept = used % uses === 0 ? undefined : loaded
    return loaded
  }
}
