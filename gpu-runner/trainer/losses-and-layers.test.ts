/** Losses and layers that have a gradient of their own, against differences. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gradients } from '#models/autodiff/gradients.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { augment } from '#models/nn/augment.ts'
import { batchNorm } from '#models/nn/batch-norm.ts'
import { dropout } from '#models/nn/dropout.ts'
import {
  binaryCrossEntropy,
  crossEntropy,
  gaussianKl,
  logisticCritic,
  logisticGenerator,
  meanSquaredError,
  perceptual,
  relativistic,
  softplusOf,
  squaredGradient,
} from '#models/nn/losses.ts'
import { maskedAttention } from '#models/nn/masked-attention.ts'
import { smoothedCrossEntropy } from '#models/nn/smoothed-loss.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { Runtime } from '../runtime/runtime.ts'
import { checkGradients, type DifferentiableCase } from '../testing/finite-differences.ts'
import { runnable } from '../testing/graph-runner.ts'
import { Random } from './random.ts'
import { fillMoves } from './tasks/augmentation.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

const pair = [
  [3, 4],
  [3, 4],
]
/** Far from each other, and from where a margin begins, by more than differences reach. */
const apart = (x: number, input: number) => Math.round(2 * x) / 2 + 0.25 + 0.1 * input
const two =
  (loss: (g: GraphBuilder, a: Value, b: Value) => Value): DifferentiableCase['build'] =>
  (g, ...values) =>
    loss(g, values[0] as Value, values[1] as Value)

const LOSSES: Readonly<Record<string, DifferentiableCase>> = {
  'mean squared error': { shapes: pair, build: two(meanSquaredError) },
  'binary cross-entropy': { shapes: pair, build: two((g, x, target) => binaryCrossEntropy(g, x, target, 3)) },
  'cross-entropy': {
    shapes: [[3, 4]],
    build: (g, x) => crossEntropy(g, x as Value, g.integers([2, 0, 2])),
  },
  'cross-entropy with smoothed targets and weights': {
    shapes: [
      [3, 2],
      [4, 2],
    ],
    build: (g, x, table) => {
      const weights = g.weight('weights', 'float32', [3], () => Float32Array.of(0.5, 0, 2))
      const targets = { classes: g.integers([2, 0, 2]), weights, smoothing: 0.2 }
      return smoothedCrossEntropy(g, x as Value, table as Value, targets)[0]
    },
  },
  softplus: { shapes: [[3, 4]], build: (g, x) => softplusOf(g, x as Value), at: (x) => x + 0.25 * Math.sign(x) },
  'KL to N(0, 1)': { shapes: pair, build: two((g, mean, logVariance) => gaussianKl(g, { mean, logVariance })) },
  'KL to a prior': {
    shapes: [...pair, ...pair],
    build: (g, ...values) => {
      const [mean, logVariance, priorMean, priorLogVariance] = values as [Value, Value, Value, Value]
      return gaussianKl(g, { mean, logVariance }, { mean: priorMean, logVariance: priorLogVariance })
    },
  },
  "the critic's logistic": { shapes: pair, build: two(logisticCritic), at: apart },
  "the generator's logistic": { shapes: [[3, 4]], build: (g, x) => logisticGenerator(g, x as Value), at: apart },
  'the relativistic one': { shapes: pair, build: two(relativistic), at: apart },
  'the squared gradient': { shapes: pair, build: two((g, x, near) => squaredGradient(g, x, near, 0.5)) },
  perceptual: {
    shapes: [
      [2, 3],
      [4, 2],
      [2, 3],
      [4, 2],
      [2, 1],
    ],
    at: apart,
    build: (g, ...values) => {
      const [a, b, realA, realB, weights] = values as [Value, Value, Value, Value, Value]
      return perceptual(g, [a, b], [realA, realB], weights)
    },
  },
}
for (const [name, one] of Object.entries(LOSSES)) {
  test(`the gradient of a loss, ${name}, is what differences say`, () => checkGradients(ort, one))
}

test('the gradient of batch normalisation is what differences say', () => {
  checkGradients(ort, {
    shapes: [[6, 2], [2], [2]],
    build: (g, x, scale, bias) => {
      const statistics = (name: string) => g.weight(name, 'float32', [2], () => Float32Array.of(0, 0))
      const weights: Weights = {
        weight: ({ name }) => (name.endsWith('weight') ? scale : bias) as Value,
        buffer: ({ name }) => statistics(name),
        update: () => undefined,
      }
      const maps = { value: x as Value, images: 1, channels: 2, height: 2, width: 3 }
      return batchNorm({ g, weights, layout: 'rows' }, 'norm', maps, { training: true }).value
    },
  })
})

test('what is dropped passes nothing back', () => {
  const mask = () => Float32Array.of(0, 2, 2, 0, 2, 0)
  checkGradients(ort, {
    shapes: [[2, 3]],
    build: (g, x) => dropout(g, x as Value, g.weight('kept', 'float32', [2, 3], mask)),
  })
})

test('the gradient of an augmentation is what differences say', () => {
  const size = { channels: 2, height: 3, width: 4 }
  const [source, target] = [new Int32Array(24), new Int32Array(24)]
  fillMoves({ source, target }, size, [
    { right: 1, down: -1, cut: { left: 2, top: 0, width: 1, height: 2 } },
    { right: -2, down: 0, cut: { left: 9, top: 9, width: 1, height: 1 } },
  ])
  const index = (g: GraphBuilder, name: string, data: Int32Array) => g.weight(name, 'int32', [24], () => data)
  checkGradients(ort, {
    shapes: [
      [24, 2],
      [2, 2, 2],
      [2, 1, 1],
    ],
    build: (g, x, colours, brightness) =>
      augment(g, x as Value, {
        source: index(g, 'source', source),
        target: index(g, 'target', target),
        colours: colours as Value,
        brightness: brightness as Value,
      }),
  })
})

test('the gradient of attention with a mask is what differences say', () => {
  const mask = () => Float32Array.of(0, -1e9, 0, 0, 0, 0, 0, 0, -1e9, 0, 0, 0)
  checkGradients(ort, {
    shapes: [
      [2, 1, 3, 2],
      [2, 1, 2, 2],
      [2, 1, 2, 2],
    ],
    build: (g, ...values) => {
      const [q, k, v] = values as [Value, Value, Value]
      return maskedAttention(g, { q, k, v }, g.weight('mask', 'float32', [2, 1, 3, 2], mask))
    },
  })
})

test('a loss in parts is the loss of the whole, and so is its gradient', () => {
  const [rows, width, classes] = [1100, 3, 5]
  const g = new GraphBuilder('parts')
  const [x, table] = [g.input('x', 'float32', [rows, width]), g.input('table', 'float32', [classes, width])]
  const next = g.integers(Array.from({ length: rows }, (_, i) => (3 * i) % classes))
  const weights = g.weight('weights', 'float32', [rows], () => new Float32Array(rows).fill(1 / rows))
  const [inParts, plain] = smoothedCrossEntropy(g, x, table, { classes: next, weights, smoothing: 0 })
  const whole = crossEntropy(g, g.op('Gemm', [x, table], { transB: 1 })[0], next)
  const losses = { inParts, whole }
  for (const [name, loss] of Object.entries(losses)) {
    const [dx, dTable] = gradients(g, loss, [x, table]) as [Value, Value]
    for (const [part, value] of Object.entries({ loss, dx, dTable })) {
      g.output(g.op('Identity', [value], {})[0], `${name}.${part}`)
    }
  }
  g.output(g.op('Identity', [plain], {})[0], 'plain')
  using graph = runnable(ort, g.build())
  for (const input of Object.values(graph.inputs)) new Random(1).normals(input.data as Float32Array)
  graph.run()
  const read = (name: string) => Array.from(graph.outputs[name]?.data as Float32Array)
  for (const part of ['loss', 'dx', 'dTable']) {
    const expected = read(`whole.${part}`)
    const scale = Math.max(...expected.map(Math.abs))
    for (const [i, value] of read(`inParts.${part}`).entries()) {
      assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-5 * scale, `${part} ${i}`)
    }
  }
  assert.deepEqual(read('plain'), read('inParts.loss'))
})
