/**
 * Linear layers whose matrix has one scale for each row, and whose input is rounded to 8 bits by one scale for each of its
 * rows: y = x · Wᵀ + bias. What comes of a row is the same whatever other rows there are.
 *
 * Codes are unsigned: of signed ones, processors without VNNI add two products in 16 bits, where they do not always fit.
 */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { ZERO_POINT } from './quantize.ts'

const GREATEST_CODE = 127
/** The scale of a row of zeros is not zero, by which nothing can be divided. */
const LEAST = 1e-20

export interface RowMatrix {
  readonly name: string
  readonly rows: number
  readonly columns: number
  /** [rows, columns]; called when the graph is written. */
  readonly load: () => Float32Array
}

/** x [.., columns] → [.., rows]; bias [rows] */
export function rowLinear(g: GraphBuilder, x: Value, { name, rows, columns, load }: RowMatrix, bias?: Value): Value {
  let kept: RowQuantized | undefined
  const loaded = () => (kept ??= quantizeRows(load(), columns))
  const codes = g.weight(`${name}.rows`, 'uint8', [columns, rows], () => loaded().codes)
  const scales = g.weight(`${name}.row_scales`, 'float32', [rows], () => loaded().scales)
  const number = (value: number) => g.shared(`scalar[${value}]`, 'float32', [], () => Float32Array.of(value))
  const zero = g.shared('zero_point', 'uint8', [], () => Uint8Array.of(ZERO_POINT))
  const zeros = g.shared(`zero_points[${rows}]`, 'uint8', [rows], () => new Uint8Array(rows).fill(ZERO_POINT))
  const step = number(1 / GREATEST_CODE)

  const [greatest] = g.op('ReduceMax', [g.op('Abs', [x], {})[0], g.integers([-1])], { keepdims: 1 })
  const [unit] = g.op('Max', [greatest, number(LEAST)], {})
  const [rounded] = g.op('QuantizeLinear', [g.op('Div', [x, unit], {})[0], step, zero], {})
  const [product] = g.op('MatMulIntegerToFloat', [rounded, codes, step, scales, zero, zeros], {})
  const [scaled] = g.op('Mul', [product, unit], {})
  return bias ? g.op('Add', [scaled, bias], {})[0] : scaled
}

interface RowQuantized {
  /** [columns, rows] */
  readonly codes: Uint8Array
  /** [rows] */
  readonly scales: Float32Array
}

/** Symmetric 8-bit codes by row, turned: the greatest magnitude of a row becomes 128 ± 127. */
export function quantizeRows(elements: Float32Array, columns: number): RowQuantized {
  const rows = elements.length / columns
  const codes = new Uint8Array(elements.length).fill(ZERO_POINT)
  const scales = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    let greatest = 0
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      greatest = Math.max(greatest, Math.abs(elements[i] as number))
    }
    if (greatest === 0) continue
    const step = greatest / GREATEST_CODE
    scales[row] = step
    for (let column = 0; column < columns; column++) {
      codes[column * rows + row] = ZERO_POINT + Math.round((elements[row * columns + column] as number) / step)
    }
  }
  return { codes, scales }
}
