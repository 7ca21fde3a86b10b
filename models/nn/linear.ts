/** Linear layers over matrices that stay quantised: y = x · Wᵀ. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { dimAt } from '../graph/infer.ts'
import { BLOCK_SIZE, type BlockQuantized, type Matrix } from './parameters.ts'

/** MatMulNBits' `accuracy_level`: activations in float32, or rounded to 8 bits by block. */
const FLOAT32 = 1
const INT8 = 4

/**
 * What 4-bit weights are multiplied with. `float32` is quickest for many rows, but computes one row with other bits than
 * several. `two-int8` is as quick for a few, the same whatever other rows there are, and 250 times nearer to float32 than
 * one part of 8 bits, which moves the logits of a small model by as much as a close choice between two tokens (decision
 * 5). With 8-bit weights there is no quick kernel but that for one part.
 */
export type Activations = 'float32' | 'two-int8'

export interface LinearOptions {
  readonly activations: Activations
  /** [rows] */
  readonly bias?: Value | undefined
}

/** x [1, tokens, columns] → [1, tokens, rows] */
function linear(g: GraphBuilder, x: Value, matrix: Matrix, { activations, bias }: LinearOptions): Value {
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
  const multiply = (input: Value, accuracy_level: number, added?: Value): Value => {
    const inputs = [input, codes, scales, ...(added ? [null, null, added] : [])]
    return g.op('MatMulNBits', inputs, { K, N, bits, block_size: BLOCK_SIZE, accuracy_level })[0]
  }
  if (bits === 8) return multiply(x, INT8, bias)
  // An offset is the same for a whole block, so it meets the sum of the block's inputs. As zero points of MatMulNBits,
  // which may be fractions too, the offsets would take it off its fast path.
  const [sums] = g.op('MatMul', [x, blockIndicator(g, K)], {}) // [..., blocks]
  const offsets = g.weight(`${name}.offsets`, 'float32', [blocks, N], () => load().offsets)
  const [shift] = g.op('MatMul', [sums, offsets], {})
  if (activations === 'float32') return g.op('Add', [multiply(x, FLOAT32, bias), shift], {})[0]
  const products = multiply(twoParts(g, x), INT8) // [2, tokens, rows]
  const [first, second] = g.op('Split', [products], { axis: 0, num_outputs: 2 })
  if (!second) throw new TypeError('Split gave one part')
  return g.op('Sum', [first, second, shift, ...(bias ? [bias] : [])], {})[0]
}

/**
 * x, and what is left of it when each block is rounded to 8 bits: [1, tokens, columns] → [2, tokens, columns]. What the
 * kernel rounds x to is had from the kernel itself, as the product with an identity matrix; so the two add up to x but for
 * the second's own rounding.
 */
function twoParts(g: GraphBuilder, x: Value): Value {
  const columns = Number(dimAt(x, -1))
  const [blocks] = g.op('Reshape', [x, g.integers([1, -1, columns / BLOCK_SIZE, BLOCK_SIZE])], {})
  const codes = g.shared('identity.codes', 'uint8', [BLOCK_SIZE, 1, BLOCK_SIZE / 2], identityCodes)
  const scales = g.shared('identity.scales', 'float32', [BLOCK_SIZE, 1], () => new Float32Array(BLOCK_SIZE).fill(1))
  const attributes = { K: BLOCK_SIZE, N: BLOCK_SIZE, bits: 4, block_size: BLOCK_SIZE, accuracy_level: INT8 }
  // Without AVX-512 the kernel multiplies one row with other bits than several. Where a token is one block, it is there twice.
  const rows = columns > BLOCK_SIZE ? blocks : g.op('Concat', [blocks, blocks], { axis: 0 })[0]
  const [product] = g.op('MatMulNBits', [rows, codes, scales], attributes)
  const rounded = columns > BLOCK_SIZE ? product : g.op('Split', [product], { axis: 0, num_outputs: 2 })[0]
  const [rest] = g.op('Sub', [blocks, rounded], {})
  const [both] = g.op('Concat', [blocks, rest], { axis: 0 })
  return g.op('Reshape', [both, g.integers([2, -1, columns])], {})[0]
}

/** The identity as 4-bit codes: 8 is zero, 9 one. */
function identityCodes(): Uint8Array {
  const codes = new Uint8Array((BLOCK_SIZE * BLOCK_SIZE) / 2).fill(0x88)
  for (let i = 0; i < BLOCK_SIZE; i++) codes[(i * BLOCK_SIZE + i) >> 1] = i % 2 === 0 ? 0x89 : 0x98
  return codes
}

/** x [1, tokens, columns] → what `linear` makes of each matrix, side by side; the bias is as long as they are together. */
export function stackedLinear(
  g: GraphBuilder,
  x: Value,
  matrices: readonly Matrix[],
  { activations, bias }: LinearOptions,
): Value {
  const [only, ...more] = matrices
  if (only && more.length === 0) return linear(g, x, only, { activations, bias })
  const parts = matrices.map((matrix) => linear(g, x, matrix, { activations }))
  const [joined] = g.op('Concat', parts, { axis: -1 })
  return bias ? g.op('Add', [joined, bias], {})[0] : joined
}

/** ids [...] → the rows of an 8-bit table that they name, [..., columns]. a linear layer over it shares its bytes. */
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
