/** Short names for nodes that formulas are made of. */
import type { GraphBuilder } from './builder.ts'
import { GraphError } from './error.ts'
import type { Value } from './graph.ts'
import type { OpName } from './ops.ts'
import type { Shape } from './tensor-type.ts'

/** Operators of one input, or two, without attributes. */
type Plain = Extract<
  OpName,
  'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min' | 'Neg' | 'Exp' | 'Log' | 'Sqrt' | 'Abs' | 'Sign' | 'Sigmoid' | 'Tanh'
>

const plain =
  (op: Plain) =>
  (g: GraphBuilder, ...inputs: readonly (Value | number)[]): Value =>
    g.op(
      op,
      inputs.map((input) => (typeof input === 'number' ? scalar(g, input) : input)),
      {},
    )[0]

export const add = plain('Add')
export const sub = plain('Sub')
export const mul = plain('Mul')
export const div = plain('Div')
export const neg = plain('Neg')
export const exp = plain('Exp')
export const log = plain('Log')
export const sqrt = plain('Sqrt')
export const sigmoid = plain('Sigmoid')
export const tanh = plain('Tanh')

/** A float32 constant, []. */
export const scalar = (g: GraphBuilder, x: number): Value =>
  g.shared(`scalar[${x}]`, 'float32', [], () => Float32Array.of(x))

/** Its lengths. @throws GraphError if one is known only when the graph runs */
export function dimsOf({ name, shape }: Value): readonly number[] {
  return shape.map((dim) => {
    if (typeof dim === 'string') throw new GraphError(`${name}: ${dim} has to be a number here`)
    return dim
  })
}

export const sizeOf = (value: Value): number => dimsOf(value).reduce((a, b) => a * b, 1)

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i])

export function reshape(g: GraphBuilder, x: Value, shape: readonly number[]): Value {
  return sameShape(x.shape, shape) ? x : g.op('Reshape', [x, g.integers(shape)], {})[0]
}

export const transpose = (g: GraphBuilder, x: Value, perm: readonly number[]): Value =>
  perm.every((axis, i) => axis === i) ? x : g.op('Transpose', [x], { perm })[0]

export const expand = (g: GraphBuilder, x: Value, shape: readonly number[]): Value =>
  sameShape(x.shape, shape) ? x : g.op('Expand', [x, g.integers(shape)], {})[0]

/** Zeros of a shape. */
export const zerosOf = (g: GraphBuilder, shape: readonly number[]): Value => expand(g, scalar(g, 0), shape)

export const sum = (g: GraphBuilder, x: Value, axes: readonly number[], keepdims = true): Value =>
  g.op('ReduceSum', [x, g.integers(axes)], { keepdims: Number(keepdims) })[0]

export const mean = (g: GraphBuilder, x: Value, axes: readonly number[], keepdims = true): Value =>
  g.op('ReduceMean', [x, g.integers(axes)], { keepdims: Number(keepdims) })[0]

/** The sum of all elements, []. */
export const sumAll = (g: GraphBuilder, x: Value): Value =>
  g.op('ReduceSum', [reshape(g, x, [sizeOf(x)]), g.integers([0])], { keepdims: 0 })[0]

/** The sum of all elements' squares, []. */
export const sumOfSquares = (g: GraphBuilder, x: Value): Value =>
  g.op('ReduceSumSquare', [reshape(g, x, [sizeOf(x)]), g.integers([0])], { keepdims: 0 })[0]

export interface Transposed {
  readonly transA?: boolean
  readonly transB?: boolean
  readonly alpha?: number
}

/** alpha · A' B' over the last two dimensions, with A' = Aᵀ if `transA`; the others broadcast. */
export function matMul(
  g: GraphBuilder,
  a: Value,
  b: Value,
  { transA = false, transB = false, alpha = 1 }: Transposed = {},
): Value {
  if (!transA && !transB && alpha === 1) return g.op('MatMul', [a, b], {})[0]
  const attributes = { transA: Number(transA), transB: Number(transB), alpha }
  return a.shape.length === 2 && b.shape.length === 2
    ? g.op('Gemm', [a, b], attributes)[0]
    : g.op('FusedMatMul', [a, b], attributes)[0]
}

/** x · w + b, x [rows, in], w [in, out], b [out] */
export const affine = (g: GraphBuilder, x: Value, w: Value, b: Value | undefined): Value =>
  b ? g.op('Gemm', [x, w, b], {})[0] : matMul(g, x, w)

/** [1, length] of ones. */
const ones = (g: GraphBuilder, length: number): Value =>
  g.shared(`ones[${length}]`, 'float32', [1, length], () => new Float32Array(length).fill(1))

/**
 * The sum that undoes a broadcast from `shape`. Over leading axes it is a product with ones, which ONNX Runtime computes
 * many times faster than ReduceSum.
 */
export function sumTo(g: GraphBuilder, x: Value, shape: readonly number[]): Value {
  const dims = dimsOf(x)
  if (sameShape(dims, shape)) return x
  const lead = dims.length - shape.length
  const axes = dims.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []))
  const leading = axes.length > 0 && axes.every((axis, i) => axis === i)
  if (!leading) return reshape(g, sum(g, x, axes), shape)
  const rows = dims.slice(0, axes.length).reduce((a, b) => a * b, 1)
  const flat = reshape(g, x, [rows, sizeOf(x) / rows])
  return reshape(g, matMul(g, ones(g, rows), flat), shape)
}
