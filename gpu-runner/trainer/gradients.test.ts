import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { GRADIENT_RULES } from '#models/autodiff/gradient-rules.ts'
import { gradients, stopGradient } from '#models/autodiff/gradients.ts'
import { add, mean, mul, sum, sumAll, sumOfSquares } from '#models/graph/arithmetic.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { type Attributes, OPS, type OpName } from '#models/graph/ops.ts'
import { ELEMENTS } from '#models/graph/tensor-type.ts'
import { causalAttention } from '#models/nn/attention.ts'
import { ropeWeights } from '#models/nn/rope.ts'
import { convolve, convolveTransposed, type Operands as Rows, windowsAlong } from '#models/nn/windows.ts'
import { Runtime } from '../runtime/runtime.ts'
import { checkGradients, type DifferentiableCase } from '../testing/finite-differences.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

type Shapes = DifferentiableCase['shapes']
type At = DifferentiableCase['at']
const positive = (x: number) => 0.5 + Math.abs(x)
/** Never as large as an element of another input, by more than differences reach. */
const unequal = (x: number, input: number) => Math.round(2 * x) / 2 + 0.25 * input
/** Away from zero by more than differences reach. */
const apart = (x: number) => x + 0.25 * Math.sign(x)

const plain =
  <Op extends OpName>(op: Op, attributes: Attributes<Op>) =>
  (g: GraphBuilder, ...inputs: Value[]): readonly Value[] =>
    g.op(op, inputs, attributes)
const unary = <Op extends OpName>(op: Op, attributes: Attributes<Op>, at?: At): DifferentiableCase[] => [
  { shapes: [[2, 3]], build: plain(op, attributes), ...(at && { at }) },
]
const binary = (op: 'Add' | 'Sub' | 'Mul' | 'Div' | 'Pow' | 'Max' | 'Min', at?: At): DifferentiableCase[] =>
  [
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
    [
      [2, 1, 2],
      [3, 1],
    ],
    [[4], [2, 3, 4]],
    [[], [2]],
    [
      [2, 3],
      [1, 1],
    ],
  ].map((shapes) => ({ shapes: shapes as Shapes, build: plain(op, {}), ...(at && { at }) }))
const reduced = (op: 'ReduceSum' | 'ReduceMean' | 'ReduceSumSquare'): DifferentiableCase[] =>
  [
    [[2, 3, 4], [1], 1],
    [[2, 3, 4], [1], 0],
    [[2, 3, 4], [0, 2], 1],
    [[2, 3, 4], [-1], 0],
    [[2, 3], [0, 1], 0],
    [[1, 3], [0], 1],
  ].map(([shape, axes, keepdims]) => ({
    shapes: [shape as number[]],
    build: (g, x) => g.op(op, [x, g.integers(axes as number[])], { keepdims: keepdims as number }),
  }))
const ids = (g: GraphBuilder, elements: readonly number[], shape: readonly number[]) =>
  g.weight('ids', 'int64', shape, () => BigInt64Array.from(elements, BigInt))
const convolutions = (op: 'Conv' | 'ConvTranspose', w: readonly number[]): DifferentiableCase[] =>
  [
    { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] },
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    { kernel_shape: [3, 3], strides: [2, 1], pads: [0, 0, 1, 1] },
    { kernel_shape: [3, 3], strides: [1, 1], pads: [0, 0, 0, 0] },
  ].map((window) => ({ shapes: [[2, 2, 5, 4], w, [3]], build: plain(op, window) }))
const windows = { kernel_shape: [4, 4], strides: [2, 2], pads: [1, 1, 1, 1] }

/** Of each operator that has a rule, at least one. */
const CASES: { readonly [Op in OpName]?: readonly DifferentiableCase[] } = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div', positive),
  Pow: binary('Pow', positive),
  Max: binary('Max', unequal),
  Min: binary('Min', unequal),
  Sum: [{ shapes: [[2, 3], [3], [2, 1]], build: plain('Sum', {}) }],
  Neg: unary('Neg', {}),
  Identity: unary('Identity', {}),
  Exp: unary('Exp', {}),
  Log: unary('Log', {}, positive),
  Sqrt: unary('Sqrt', {}, positive),
  Abs: unary('Abs', {}, apart),
  Erf: unary('Erf', {}),
  Relu: unary('Relu', {}, apart),
  LeakyRelu: unary('LeakyRelu', { alpha: 0.2 }, apart),
  Softplus: unary('Softplus', {}),
  Sigmoid: unary('Sigmoid', {}),
  Tanh: unary('Tanh', {}),
  Gelu: [...unary('Gelu', { approximate: 'none' }), ...unary('Gelu', { approximate: 'tanh' })],
  QuickGelu: [...unary('QuickGelu', { alpha: 1 }), ...unary('QuickGelu', { alpha: 1.702 })],
  Clip: [
    {
      shapes: [[2, 8]],
      build: (g, x) => {
        const bound = (name: string, at: number) => g.weight(name, 'float32', [], () => Float32Array.of(at))
        return g.op('Clip', [x, bound('least', -0.51), bound('most', 0.73)], {})
      },
    },
  ],
  Cast: [
    {
      shapes: [[2, 3]],
      // Rounded by itself, which differences would see: the rounded part is added in and taken out again.
      build: (g, x) => {
        const [half] = g.op('Cast', [mul(g, x, 0)], { to: ELEMENTS.float16.code })
        return add(g, x, g.op('Cast', [half], { to: ELEMENTS.float32.code })[0])
      },
    },
  ],
  Softmax: unary('Softmax', { axis: -1 }),
  LogSoftmax: unary('LogSoftmax', { axis: -1 }),
  LayerNormalization: [
    { shapes: [[3, 6], [6], [6]], build: (g, ...xs) => g.op('LayerNormalization', xs, { axis: -1, epsilon: 1e-5 })[0] },
    { shapes: [[2, 2, 5], [5]], build: (g, ...xs) => g.op('LayerNormalization', xs, { axis: -1, epsilon: 1e-3 })[0] },
  ],
  SimplifiedLayerNormalization: [
    {
      shapes: [[2, 2, 5], [5]],
      build: (g, ...xs) => g.op('SimplifiedLayerNormalization', xs, { axis: -1, epsilon: 1e-5, stash_type: 1 })[0],
    },
  ],
  SkipSimplifiedLayerNormalization: [
    { shapes: [[3, 5], [3, 5], [5]], build: plain('SkipSimplifiedLayerNormalization', { epsilon: 1e-5 }) },
  ],
  RotaryEmbedding: [0, 1].map((interleaved) => ({
    shapes: [[2, 2, 3, 4]],
    build: (g, x) => {
      const { cos, sin } = ropeWeights(g, 'rope', {
        positions: 5,
        headDim: 4,
        base: 10,
        stretch: 1,
        element: 'float32',
      })
      return g.op('RotaryEmbedding', [x, ids(g, [1], [1]), cos, sin], { interleaved })
    },
  })),
  ReduceSum: reduced('ReduceSum'),
  ReduceMean: reduced('ReduceMean'),
  ReduceSumSquare: reduced('ReduceSumSquare'),
  Reshape: [{ shapes: [[2, 6]], build: (g, x) => g.op('Reshape', [x, g.integers([3, -1])], {}) }],
  Expand: [{ shapes: [[3, 1]], build: (g, x) => g.op('Expand', [x, g.integers([2, 3, 4])], {}) }],
  Transpose: [{ shapes: [[2, 3, 4]], build: plain('Transpose', { perm: [2, 0, 1] }) }],
  Split: [
    { shapes: [[2, 6]], build: (g, x) => g.op('Split', [x, g.integers([2, 3, 1])], { axis: 1 }) },
    { shapes: [[2, 6]], build: (g, x) => g.op('Split', [x, g.integers([2, 4])], { axis: -1 })[0] },
  ],
  Concat: [
    {
      shapes: [
        [2, 3],
        [2, 1],
      ],
      build: plain('Concat', { axis: -1 }),
    },
    {
      shapes: [
        [2, 3],
        [1, 3],
        [2, 3],
      ],
      build: plain('Concat', { axis: 0 }),
    },
  ],
  Slice: [
    {
      shapes: [[4, 5]],
      build: (g, x) => g.op('Slice', [x, g.integers([1, -3]), g.integers([4, 99]), g.integers([0, 1])], {}),
    },
  ],
  Pad: [{ shapes: [[2, 3]], build: (g, x) => g.op('Pad', [x, g.integers([0, 1, 2, 0])], {}) }],
  Where: [
    {
      shapes: [[2, 3], [3]],
      build: (g, a, b) => {
        const mask = g.weight('mask', 'bool', [2, 3], () => Uint8Array.of(1, 0, 1, 0, 0, 1))
        return g.op('Where', [mask, a, b], {})
      },
    },
  ],
  Gather: [
    { shapes: [[4, 3]], build: (g, x) => g.op('Gather', [x, ids(g, [1, 3, 1, 1, 0, 2], [2, 3])], {}) },
    { shapes: [[4, 2, 2]], build: (g, x) => g.op('Gather', [x, ids(g, [3, 3, 0], [3])], { axis: 0 }) },
  ],
  GatherElements: [
    { shapes: [[3, 4]], build: (g, x) => g.op('GatherElements', [x, ids(g, [1, 1, 0, 3, 2, 0], [3, 2])], { axis: 1 }) },
  ],
  ScatterElements: [
    {
      shapes: [
        [3, 4],
        [3, 2],
      ],
      build: (g, x, updates) => {
        const indices = ids(g, [1, 1, 0, 3, 2, 0], [3, 2])
        return g.op('ScatterElements', [x, indices, updates], { axis: 1, reduction: 'add' })
      },
    },
  ],
  MatMul: [
    [
      [2, 3],
      [3, 4],
    ],
    [
      [2, 2, 3],
      [3, 4],
    ],
    [
      [2, 2, 3],
      [2, 3, 2],
    ],
    [
      [2, 1, 2, 3],
      [3, 3, 2],
    ],
  ].map((shapes) => ({
    shapes: shapes as Shapes,
    build: plain('MatMul', {}),
  })),
  FusedMatMul: [
    {
      shapes: [
        [2, 2, 3],
        [2, 4, 3],
      ],
      build: plain('FusedMatMul', { transB: 1, alpha: 0.5 }),
    },
    {
      shapes: [
        [2, 3, 2],
        [2, 3, 4],
      ],
      build: plain('FusedMatMul', { transA: 1 }),
    },
    {
      shapes: [
        [2, 3, 2],
        [2, 4, 3],
      ],
      build: plain('FusedMatMul', { transA: 1, transB: 1 }),
    },
    {
      shapes: [
        [2, 2, 3],
        [4, 3],
      ],
      build: plain('FusedMatMul', { transB: 1, alpha: 2 }),
    },
  ],
  Gemm: [
    { shapes: [[2, 3], [3, 4], [4]], build: plain('Gemm', {}) },
    {
      shapes: [
        [3, 2],
        [3, 4],
      ],
      build: plain('Gemm', { transA: 1, alpha: 0.5 }),
    },
    {
      shapes: [
        [2, 3],
        [4, 3],
        [2, 1],
      ],
      build: plain('Gemm', { transB: 1, beta: 2 }),
    },
    {
      shapes: [
        [3, 2],
        [4, 3],
      ],
      build: plain('Gemm', { transA: 1, transB: 1 }),
    },
  ],
  Conv: [
    ...convolutions('Conv', [3, 2, 3, 3]),
    {
      shapes: [
        [2, 1, 4, 4],
        [2, 1, 4, 4],
      ],
      build: plain('Conv', windows),
    },
  ],
  ConvTranspose: [
    ...convolutions('ConvTranspose', [2, 3, 3, 3]),
    {
      shapes: [
        [2, 2, 2, 3],
        [2, 1, 4, 4],
      ],
      build: plain('ConvTranspose', windows),
    },
  ],
}

for (const op of Object.keys(OPS) as OpName[]) {
  const cases = CASES[op] ?? []
  if (GRADIENT_RULES[op] === null) continue
  test(`the gradient of ${op} is what differences say`, () => {
    assert.ok(cases.length > 0, `${op} has a rule that nothing checks`)
    for (const one of cases) checkGradients(ort, one)
  })
}

test('a value that is read several times gathers its gradients', () => {
  checkGradients(ort, {
    shapes: [[2, 3]],
    build: (g, x) => add(g, mul(g, x, sum(g, x, [1])), mul(g, mean(g, mul(g, x, x), [0]), x)),
  })
})

test('a gradient that is narrow passes reshapes, products and sums', () => {
  checkGradients(ort, {
    shapes: [
      [2, 3],
      [3, 2],
    ],
    build: (g, a, b) => {
      const [product] = g.op('MatMul', [a, b], {})
      return add(g, sumOfSquares(g, product), sumAll(g, g.op('Tanh', [b], {})[0]))
    },
  })
})

test('convolutions over rows of pixels, and their transposes, have the gradients that differences say', () => {
  for (const [kernel, stride, pad] of [
    [4, 2, 1],
    [3, 1, 1],
    [2, 2, 0],
  ] as const) {
    const geometry = { images: 2, height: 4, width: 6, kernel, stride, pad }
    const windows = 2 * windowsAlong(4, geometry) * windowsAlong(6, geometry)
    const w = [kernel * kernel * 2, 3]
    checkGradients(ort, {
      shapes: [[48, 2], w, [3]],
      build: (g, x, w, b) => convolve(g, { x, w, b } as Rows, geometry),
    })
    checkGradients(ort, {
      shapes: [[windows, 3], w],
      build: (g, x, w) => convolveTransposed(g, { x, w } as Rows, geometry),
    })
  }
})

test('attention of heads that have keys in common has the gradient that differences say', () => {
  checkGradients(ort, {
    shapes: [
      [1, 4, 3, 2],
      [1, 2, 3, 2],
      [1, 2, 3, 2],
    ],
    build: (g, q, k, v) => causalAttention(g, q as Value, k as Value, v as Value),
  })
})

test('nothing is learned past a stop, or through an operator without a gradient', () => {
  const g = new GraphBuilder('stopped')
  const x = g.input('x', 'float32', [2])
  const y = g.input('y', 'float32', [2])
  const stopped = sumAll(g, mul(g, stopGradient(g, x), y))
  assert.throws(() => gradients(g, stopped, [x]), { name: 'GraphError', message: /does not depend on x/ })
  const signs = sumAll(g, g.op('Sign', [x], {})[0])
  assert.throws(() => gradients(g, signs, [x]), { name: 'GraphError', message: /^Sign → .*nothing is learned/ })
  assert.throws(() => gradients(g, x, [x]), { name: 'GraphError', message: 'x: a loss has one element, not [2]' })
})
