/**
 * The gradient of each operator, as nodes of the same graph: one total table. An operator that nothing is learned through
 * has null, and a gradient that would have to pass it is an error.
 *
 * A gradient may be narrower than its value as long as it broadcasts to its shape.
 */
import {
  add,
  dimsOf,
  div,
  exp,
  expand,
  log,
  matMul,
  mean,
  mul,
  neg,
  reshape,
  scalar,
  sigmoid,
  sizeOf,
  sqrt,
  sub,
  sum,
  sumTo,
  transpose,
  zerosOf,
} from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import { GraphError } from '../graph/error.ts'
import type { Value } from '../graph/graph.ts'
import type { Attributes, OpName } from '../graph/ops.ts'
import { ELEMENTS } from '../graph/tensor-type.ts'
import { convGradient, convTransposeGradient } from './conv-gradients.ts'
import { layerNormGradient, rmsNormGradient } from './norm-gradients.ts'

/** A node as its rule sees it. */
export interface Backward<Op extends OpName = OpName> {
  readonly g: GraphBuilder
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly attributes: Attributes<Op>
  /** Of the first output; it broadcasts to the output's shape. */
  readonly dy: Value
  /** Of each output. */
  readonly gradients: readonly (Value | undefined)[]
}

/** Gradients of the inputs, in order; undefined: none. */
export type GradientRule<Op extends OpName> = (node: Backward<Op>) => readonly (Value | undefined)[]

/** An input or output that has to be there. */
const at = (values: readonly Value[], i: number): Value => {
  const value = values[i]
  if (!value) throw new GraphError(`a gradient needs operand ${i}`)
  return value
}
/** `dy` in the whole shape of the output. */
const whole = ({ g, dy, outputs }: Backward<OpName>): Value => expand(g, dy, dimsOf(at(outputs, 0)))

/** As `whole`, of a node whose later outputs are statistics. */
function ofFirst(node: Backward<OpName>): Value {
  if (node.gradients.slice(1).some((gradient) => gradient))
    throw new GraphError('nothing is learned through statistics')
  return whole(node)
}

type ElementwiseOp = Extract<OpName, 'Relu' | 'LeakyRelu' | 'Gelu' | 'QuickGelu'> | PlainUnary
type PlainUnary = 'Exp' | 'Log' | 'Sqrt' | 'Abs' | 'Erf' | 'Softplus' | 'Sigmoid' | 'Tanh'

/** dy · slope(x, y) */
const elementwise =
  <Op extends ElementwiseOp>(slope: (g: GraphBuilder, x: Value, y: Value, attributes: Attributes<Op>) => Value) =>
  ({ g, inputs, outputs, attributes, dy }: Backward<Op>): readonly Value[] => [
    mul(g, dy, slope(g, at(inputs, 0), at(outputs, 0), attributes)),
  ]

/** Each input has the gradient that `terms` gives, its broadcast undone. */
const broadcasting =
  (terms: (g: GraphBuilder, dy: Value, a: Value, b: Value, y: Value) => readonly [Value, Value]) =>
  (node: Backward<OpName>): readonly Value[] => {
    const { g, inputs, outputs } = node
    const [a, b] = [at(inputs, 0), at(inputs, 1)]
    const y = dimsOf(at(outputs, 0))
    return terms(g, node.dy, a, b, at(outputs, 0)).map((term, i) => sumTo(g, expand(g, term, y), dimsOf(at(inputs, i))))
  }

/** x where the condition holds, else 0. */
const where = (g: GraphBuilder, condition: Value, x: Value): Value => g.op('Where', [condition, x, scalar(g, 0)], {})[0]

/** `dy` of a reduction with the axes back, each of length 1. */
function kept({ g, inputs, dy }: Backward<OpName>): { dy: Value; elements: number } {
  const shape = dimsOf(at(inputs, 0))
  const axes = new Set((at(inputs, 1).constant ?? []).map((axis) => (axis < 0 ? axis + shape.length : axis)))
  const elements = shape.reduce((n, dim, i) => (axes.has(i) ? n * dim : n), 1)
  const narrow = shape.map((dim, i) => (axes.has(i) ? 1 : dim))
  const reduced = shape.filter((_, i) => !axes.has(i))
  const full = sizeOf(dy) === 1 ? dy : expand(g, dy, dy.shape.length === shape.length ? narrow : reduced)
  return {
    dy:
      sizeOf(full) === 1
        ? reshape(
            g,
            full,
            shape.map(() => 1),
          )
        : reshape(g, full, narrow),
    elements,
  }
}

/** x [..., k] · w [k, n]: products of two matrices, the leading dimensions of x as rows. */
function matMulGradient(node: Backward<'MatMul' | 'FusedMatMul'>, { transA = 0, transB = 0, alpha = 1 }) {
  const { g, inputs } = node
  const [a, b] = [at(inputs, 0), at(inputs, 1)]
  const dy = whole(node)
  if (b.shape.length === 2 && a.shape.length > 2 && !transA) {
    const inner = Number(a.shape.at(-1))
    const rows = sizeOf(a) / inner
    const flatA = reshape(g, a, [rows, inner])
    const flat = reshape(g, dy, [rows, sizeOf(dy) / rows])
    const da = matMul(g, flat, b, { transB: !transB, alpha })
    const db = transB
      ? matMul(g, flat, flatA, { transA: true, alpha })
      : matMul(g, flatA, flat, { transA: true, alpha })
    return [reshape(g, da, dimsOf(a)), db]
  }
  const da = transA
    ? matMul(g, b, dy, { transA: transB === 1, transB: true, alpha })
    : matMul(g, dy, b, { transB: transB === 0, alpha })
  const db = transB
    ? matMul(g, dy, a, { transA: true, transB: transA === 1, alpha })
    : matMul(g, a, dy, { transA: transA === 0, alpha })
  return [sumTo(g, da, dimsOf(a)), sumTo(g, db, dimsOf(b))]
}

/** A choice between two inputs, by what is greater: of equals it is the second. */
const choice =
  (swap: boolean) =>
  (g: GraphBuilder, dy: Value, a: Value, b: Value): readonly [Value, Value] => {
    const [first] = g.op('Greater', swap ? [b, a] : [a, b], {})
    return [where(g, first, dy), g.op('Where', [first, scalar(g, 0), dy], {})[0]]
  }

const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI)

/** The slope of y = x · Φ(x), or of its approximation by tanh (Hendrycks and Gimpel 2016, arXiv:1606.08415). */
function geluSlope(g: GraphBuilder, x: Value, y: Value, approximate: string): Value {
  const squared = mul(g, x, x)
  if (approximate === 'none') {
    const cdf = mul(g, add(g, g.op('Erf', [mul(g, x, Math.SQRT1_2)], {})[0], 1), 0.5)
    return add(g, cdf, mul(g, x, mul(g, exp(g, mul(g, squared, -0.5)), INV_SQRT_2PI)))
  }
  // ½ + ½ tanh(u) is sigmoid(2u), here with 2u = x · p.
  const k = 2 * Math.sqrt(2 / Math.PI)
  const p = add(g, mul(g, squared, 0.044715 * k), k)
  const s = sigmoid(g, mul(g, x, p))
  const inner = sub(g, mul(g, p, 3), 2 * k)
  return add(g, s, mul(g, mul(g, y, sub(g, 1, s)), inner))
}

/** Sums rows of `updates` [n, …] into `rows` rows, at `indices` [n]: ScatterND's sums are not safe between threads. */
function scatterRows(g: GraphBuilder, updates: Value, indices: Value, rows: number): Value {
  const [count = 1, width = 1] = dimsOf(updates)
  const wide = expand(g, reshape(g, indices, [count, 1]), [count, width])
  return g.op('ScatterElements', [zerosOf(g, [rows, width]), wide, updates], { axis: 0, reduction: 'add' })[0]
}

export const GRADIENT_RULES: { readonly [Op in OpName]: GradientRule<Op> | null } = {
  Add: broadcasting((_, dy) => [dy, dy]),
  Sub: broadcasting((g, dy) => [dy, neg(g, dy)]),
  Mul: broadcasting((g, dy, a, b) => [mul(g, dy, b), mul(g, dy, a)]),
  Div: broadcasting((g, dy, _, b, y) => {
    const da = div(g, dy, b)
    return [da, neg(g, mul(g, da, y))]
  }),
  Pow: broadcasting((g, dy, a, b, y) => [
    mul(g, dy, mul(g, b, g.op('Pow', [a, sub(g, b, 1)], {})[0])),
    mul(g, dy, mul(g, y, log(g, a))),
  ]),
  Max: broadcasting(choice(false)),
  Min: broadcasting(choice(true)),
  Sum: (node) => node.inputs.map((x) => sumTo(node.g, whole(node), dimsOf(x))),
  Neg: ({ g, dy }) => [neg(g, dy)],
  Identity: ({ dy }) => [dy],
  Exp: elementwise((_, __, y) => y),
  Log: ({ g, inputs, dy }) => [div(g, dy, at(inputs, 0))],
  Sqrt: ({ g, outputs, dy }) => [div(g, mul(g, dy, 0.5), at(outputs, 0))],
  Abs: elementwise((g, x) => g.op('Sign', [x], {})[0]),
  Erf: elementwise((g, x) => mul(g, exp(g, neg(g, mul(g, x, x))), 2 / Math.sqrt(Math.PI))),
  // Steep enough to be a step, and quicker than a comparison.
  Relu: elementwise((g, _, y) => g.op('HardSigmoid', [y], { alpha: 1e30, beta: 0 })[0]),
  LeakyRelu: elementwise<'LeakyRelu'>(
    (g, _, y, { alpha }) => g.op('Clip', [mul(g, y, 1e30), scalar(g, alpha), scalar(g, 1)], {})[0],
  ),
  Softplus: elementwise((g, x) => sigmoid(g, x)),
  Sigmoid: elementwise((g, _, y) => mul(g, y, sub(g, 1, y))),
  Tanh: elementwise((g, _, y) => sub(g, 1, mul(g, y, y))),
  Gelu: elementwise<'Gelu'>((g, x, y, { approximate }) => geluSlope(g, x, y, approximate)),
  QuickGelu: elementwise<'QuickGelu'>((g, x, y, { alpha }) => {
    const s = sigmoid(g, mul(g, x, alpha))
    return add(g, s, mul(g, mul(g, y, sub(g, 1, s)), alpha))
  }),
  Clip: (node) => {
    const { g, inputs, outputs } = node
    const [within] = g.op('Equal', [at(inputs, 0), at(outputs, 0)], {})
    return [where(g, within, whole(node))]
  },
  Cast: (node) => {
    const from = at(node.inputs, 0).element
    const isFloat = from === 'float32' || from === 'float16'
    const toFloat = [ELEMENTS.float32.code, ELEMENTS.float16.code].some((code) => code === node.attributes.to)
    return isFloat && toFloat ? [node.g.op('Cast', [whole(node)], { to: ELEMENTS[from].code })[0]] : [undefined]
  },
  Softmax: ({ g, outputs, attributes: { axis }, dy }) => {
    const y = at(outputs, 0)
    const weighted = mul(g, dy, y)
    return [sub(g, weighted, mul(g, y, sum(g, weighted, [axis])))]
  },
  LogSoftmax: (node) => {
    const { g, outputs, attributes } = node
    const dy = whole(node)
    return [sub(g, dy, mul(g, exp(g, at(outputs, 0)), sum(g, dy, [attributes.axis])))]
  },
  LayerNormalization: (node) => layerNormGradient(node.g, node.inputs, node.outputs, ofFirst(node)),
  SimplifiedLayerNormalization: (node) => {
    const { g, inputs, outputs } = node
    return rmsNormGradient(g, at(inputs, 0), at(inputs, 1), { dy: ofFirst(node), inverse: at(outputs, 1) })
  },
  SkipSimplifiedLayerNormalization: ({ g, inputs, outputs, attributes: { epsilon }, gradients: [dy, skipped] }) => {
    const [total, scale] = [at(outputs, 1), at(inputs, 2)]
    const inverse = div(g, 1, sqrt(g, add(g, mean(g, mul(g, total, total), [-1]), epsilon)))
    const [dx, dScale] = dy
      ? rmsNormGradient(g, total, scale, { dy: expand(g, dy, dimsOf(total)), inverse })
      : [undefined, undefined]
    const both = dx && skipped ? add(g, dx, skipped) : (dx ?? skipped)
    return [both, both, dScale]
  },
  // Turned back.
  RotaryEmbedding: (node) => {
    const { g, inputs, attributes } = node
    const [positions, cos, sin] = [at(inputs, 1), at(inputs, 2), at(inputs, 3)]
    return [g.op('RotaryEmbedding', [whole(node), positions, cos, neg(g, sin)], attributes)[0]]
  },
  ReduceSum: (node) => [kept(node).dy],
  ReduceMean: (node) => {
    const { dy, elements } = kept(node)
    return [mul(node.g, dy, 1 / elements)]
  },
  ReduceSumSquare: (node) => [mul(node.g, mul(node.g, at(node.inputs, 0), 2), kept(node).dy)],
  Reshape: (node) => [reshape(node.g, whole(node), dimsOf(at(node.inputs, 0)))],
  Expand: (node) => [sumTo(node.g, whole(node), dimsOf(at(node.inputs, 0)))],
  Transpose: (node) => {
    const { perm } = node.attributes
    return [
      transpose(
        node.g,
        whole(node),
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ]
  },
  Split: ({ g, outputs, gradients, attributes: { axis } }) => [
    g.op(
      'Concat',
      outputs.map((part, i) => {
        const gradient = gradients[i]
        return gradient ? expand(g, gradient, dimsOf(part)) : zerosOf(g, dimsOf(part))
      }),
      { axis },
    )[0],
  ],
  Concat: (node) => {
    const { g, inputs, attributes } = node
    const sizes = inputs.map((part) => Number(part.shape.at(attributes.axis)))
    return g.op('Split', [whole(node), g.integers(sizes)], { axis: attributes.axis })
  },
  Slice: (node) => {
    const { g, inputs } = node
    const [x, starts, , axes, steps] = inputs
    const dims = dimsOf(at(inputs, 0))
    if (!x || !starts?.constant || !axes?.constant || steps?.constant?.some((step) => step !== 1)) {
      throw new GraphError('Slice: a gradient needs constant bounds and steps of 1')
    }
    const pads: number[] = Array(2 * dims.length).fill(0)
    for (const [i, axis] of axes.constant.entries()) {
      const along = axis < 0 ? axis + dims.length : axis
      const [dim, taken] = [dims[along] ?? 0, Number(node.outputs[0]?.shape[along])]
      const start = starts.constant[i] ?? 0
      const first = Math.min(dim, Math.max(0, start < 0 ? start + dim : start))
      pads[along] = first
      pads[along + dims.length] = dim - taken - first
    }
    return [g.op('Pad', [whole(node), g.integers(pads)], {})[0]]
  },
  Pad: (node) => {
    const { g, inputs } = node
    const dims = dimsOf(at(inputs, 0))
    const before = (at(inputs, 1).constant ?? []).slice(0, dims.length)
    const ends = dims.map((dim, i) => dim + (before[i] ?? 0))
    const axes = g.integers(dims.map((_, i) => i))
    return [g.op('Slice', [whole(node), g.integers(before), g.integers(ends), axes], {})[0]]
  },
  Where: (node) => {
    const { g, inputs } = node
    const [condition, a, b] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)]
    const dy = whole(node)
    const other = g.op('Where', [condition, scalar(g, 0), dy], {})[0]
    return [undefined, sumTo(g, where(g, condition, dy), dimsOf(a)), sumTo(g, other, dimsOf(b))]
  },
  Gather: (node) => {
    const { g, inputs, attributes } = node
    const [table, indices] = [at(inputs, 0), at(inputs, 1)]
    if ((attributes.axis ?? 0) !== 0) throw new GraphError('Gather: a gradient is for rows')
    const [rows = 1, ...rest] = dimsOf(table)
    const width = rest.reduce((a, b) => a * b, 1)
    const updates = reshape(g, whole(node), [sizeOf(indices), width])
    return [reshape(g, scatterRows(g, updates, indices, rows), dimsOf(table)), undefined]
  },
  GatherElements: (node) => {
    const { g, inputs, attributes } = node
    const zeros = zerosOf(g, dimsOf(at(inputs, 0)))
    const updates = [zeros, at(inputs, 1), whole(node)]
    return [g.op('ScatterElements', updates, { axis: attributes.axis, reduction: 'add' })[0], undefined]
  },
  ScatterElements: (node) => {
    const { g, inputs, attributes } = node
    if (attributes.reduction !== 'add') throw new GraphError('ScatterElements: a gradient is for sums')
    const dy = whole(node)
    return [dy, undefined, g.op('GatherElements', [dy, at(inputs, 1)], { axis: attributes.axis })[0]]
  },
  MatMul: (node) => matMulGradient(node, {}),
  FusedMatMul: (node) => matMulGradient(node, node.attributes),
  Gemm: (node) => {
    const { g, inputs, attributes } = node
    const { transA = 0, transB = 0, alpha = 1, beta = 1 } = attributes
    const [a, b, c] = [at(inputs, 0), at(inputs, 1), inputs[2]]
    const dy = whole(node)
    return [
      transA
        ? matMul(g, b, dy, { transA: transB === 1, transB: true, alpha })
        : matMul(g, dy, b, { transB: transB === 0, alpha }),
      transB
        ? matMul(g, dy, a, { transA: true, transB: transA === 1, alpha })
        : matMul(g, a, dy, { transA: transA === 0, transB: false, alpha }),
      c && sumTo(g, beta === 1 ? dy : mul(g, dy, beta), dimsOf(c)),
    ]
  },
  Conv: (node) => convGradient(node.g, node.inputs, whole(node), node.attributes),
  ConvTranspose: (node) => convTransposeGradient(node.g, node.inputs, whole(node), node.attributes),
  // Nothing is learned through these.
  Equal: null,
  Greater: null,
  Sign: null,
  HardSigmoid: null,
  ReduceMax: null,
  MatMulNBits: null,
  QuantizeLinear: null,
  MatMulIntegerToFloat: null,
  GatherBlockQuantized: null,
  GroupQueryAttention: null,
  MultiHeadAttention: null,
  TopK: null,
  SkipLayerNormalization: null,
  BiasGelu: null,
}
