/** Shape inference that several operators share. Symbolic dimensions are compared by name. */
import { GraphError } from './error.ts'
import type { Dim, ElementType, Shape, TensorType } from './tensor-type.ts'

/** A tensor as an operator sees it: its type and, for a small integer constant, its elements. */
export interface Operand extends TensorType {
  readonly constant?: readonly number[] | undefined
}

export function known(operand: Operand | undefined): Operand {
  if (!operand) throw new GraphError('a required input is missing')
  return operand
}

export const elementOf = (operand: Operand | undefined): ElementType => known(operand).element

/** A dimension by its index, counted from the end if negative. */
export function dimAt(operand: Operand | undefined, index: number): Dim {
  const { shape } = known(operand)
  const dim = shape[index < 0 ? shape.length + index : index]
  if (dim === undefined) throw new GraphError(`[${shape}] has no dimension ${index}`)
  return dim
}

export const withLastDim = (shape: Shape, last: Dim): Shape => [...shape.slice(0, -1), last]

/** NumPy's broadcasting. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1
    const y = b[i - rank + b.length] ?? 1
    if (x === y || y === 1) return x
    if (x === 1) return y
    throw new GraphError(`[${a}] and [${b}] do not broadcast`)
  })
}

/** Reshape to a constant shape: 0 keeps a dimension, one −1 takes what is left. */
export function inferReshape(x: Operand | undefined, to: Operand | undefined): TensorType {
  const { element, shape } = known(x)
  const wanted = known(to).constant
  if (!wanted) throw new GraphError('Reshape: the shape has to be a constant')
  const dims: Dim[] = wanted.map((dim, i) => (dim === 0 ? (shape[i] ?? 1) : dim))
  const open = dims.indexOf(-1)
  if (open >= 0)
    dims[open] = remaining(
      shape,
      dims.filter((_, i) => i !== open),
    )
  return { element, shape: dims }
}

/** The product of `all` over that of `some`: a number, or a product of names. */
function remaining(all: Shape, some: Shape): Dim {
  const product = (shape: Shape) => shape.reduce<number>((n, dim) => (typeof dim === 'number' ? n * dim : n), 1)
  const factor = product(all) / product(some)
  const names = all.filter((dim) => typeof dim === 'string')
  for (const dim of some) {
    if (typeof dim === 'number') continue
    const at = names.indexOf(dim)
    if (at < 0) throw new GraphError(`Reshape: [${all}] has no dimension ${dim}`)
    names.splice(at, 1)
  }
  if (!Number.isInteger(factor)) throw new GraphError(`Reshape: [${all}] does not divide into [${some}]`)
  return names.length === 0 ? factor : [...(factor === 1 ? [] : [factor]), ...names].join('*')
}

/** Split into constant sizes, or into `count` equal parts. */
export function inferSplit(
  x: Operand | undefined,
  sizes: Operand | undefined,
  axis: number,
  count: number | undefined,
): readonly TensorType[] {
  const { element, shape } = known(x)
  const at = axis < 0 ? axis + shape.length : axis
  const whole = dimAt(x, axis)
  const parts = sizes?.constant ?? (count && typeof whole === 'number' ? Array(count).fill(whole / count) : undefined)
  if (!parts) throw new GraphError('Split: the sizes have to be constant')
  const total = parts.reduce((a, b) => a + b, 0)
  if (total !== whole) throw new GraphError(`Split: parts of ${parts} do not add up to ${whole}`)
  return parts.map((part) => ({ element, shape: [...shape.slice(0, at), part, ...shape.slice(at + 1)] }))
}

/** Parts whose dimensions are the same but for the numbers along `axis`. */
export function inferConcat(parts: readonly (Operand | undefined)[], axis: number): TensorType {
  const { element, shape } = known(parts[0])
  const at = axis < 0 ? axis + shape.length : axis
  let whole = 0
  for (const part of parts.map(known)) {
    const along = dimAt(part, at)
    if (typeof along !== 'number') throw new GraphError(`Concat: ${along} is no number of elements`)
    if (part.element !== element || String(shape.with(at, along)) !== String(part.shape)) {
      throw new GraphError(`Concat: ${part.element}[${part.shape}] does not fit beside ${element}[${shape}]`)
    }
    whole += along
  }
  return { element, shape: shape.with(at, whole) }
}

/** The last two dimensions multiplied, the others broadcast. */
export function inferMatMul(name: string, a: Operand, b: Operand, transA = 0, transB = 0): TensorType {
  const [rows, inner] = transA ? [dimAt(a, -1), dimAt(a, -2)] : [dimAt(a, -2), dimAt(a, -1)]
  const [meets, columns] = transB ? [dimAt(b, -1), dimAt(b, -2)] : [dimAt(b, -2), dimAt(b, -1)]
  if (inner !== meets) throw new GraphError(`${name}: ${inner} columns meet ${meets} rows`)
  return { element: a.element, shape: [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns] }
}

/** Heights and widths that windows at these strides have. */
export function inferConvolution(
  x: Operand,
  kernel: readonly number[],
  strides: readonly number[],
  pads: readonly number[],
): readonly number[] {
  return kernel.map((length, i) => {
    const dim = dimAt(x, i + 2)
    if (typeof dim !== 'number') throw new GraphError(`${dim} is no number of pixels`)
    const room = dim + (pads[i] ?? 0) + (pads[i + kernel.length] ?? 0) - length
    if (room < 0) throw new GraphError(`a window of ${length} is wider than ${dim} pixels`)
    return Math.floor(room / (strides[i] ?? 1)) + 1
  })
}

/** Parts along some axes; an end beyond the last element, or before the first, means up to there. */
export function inferSlice(
  x: Operand,
  by: Readonly<Record<'starts' | 'ends' | 'axes' | 'steps', Operand | undefined>>,
): TensorType {
  const [starts, ends, axes] = [by.starts?.constant, by.ends?.constant, by.axes?.constant]
  const steps = by.steps ? by.steps.constant : axes?.map(() => 1)
  if (!starts || !ends || !axes || !steps) throw new GraphError('Slice: where and how has to be constant')
  const shape = [...x.shape]
  for (const [i, axis] of axes.entries()) {
    const dim = dimAt(x, axis)
    if (typeof dim !== 'number') throw new GraphError(`Slice: ${dim} is no number of elements`)
    const step = steps[i] ?? 1
    const [least, most] = step > 0 ? [0, dim] : [-1, dim - 1]
    const at = (index = 0) => Math.min(most, Math.max(least, index < 0 ? index + dim : index))
    shape[axis < 0 ? axis + shape.length : axis] = Math.max(0, Math.ceil((at(ends[i]) - at(starts[i])) / step))
  }
  return { element: x.element, shape }
}
