/** Losses and layers that have a gradient of their own, against differences. */
import { after, test } from 'node:test'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { augment } from '#models/nn/augment.ts'
import { batchNorm } from '#models/nn/batch-norm.ts'
import { dropout } from '#models/nn/dropout.ts'
import {
  binaryCrossEntropy,
  crossEntropy,
  gaussianKl,
  hingeCritic,
  logisticCritic,
  logisticGenerator,
  meanNegative,
  meanSquaredError,
  perceptual,
  softplusOf,
} from '#models/nn/losses.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { Runtime } from '../runtime/runtime.ts'
import { checkGradients, type DifferentiableCase } from '../testing/finite-differences.ts'
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
  softplus: { shapes: [[3, 4]], build: (g, x) => softplusOf(g, x as Value), at: (x) => x + 0.25 * Math.sign(x) },
  'KL to N(0, 1)': { shapes: pair, build: two((g, mean, logVariance) => gaussianKl(g, { mean, logVariance })) },
  'KL to a prior': {
    shapes: [...pair, ...pair],
    build: (g, ...values) => {
      const [mean, logVariance, priorMean, priorLogVariance] = values as [Value, Value, Value, Value]
      return gaussianKl(g, { mean, logVariance }, { mean: priorMean, logVariance: priorLogVariance })
    },
  },
  "the critic's hinge": { shapes: pair, build: two(hingeCritic), at: apart },
  "the generator's hinge": { shapes: [[3, 4]], build: (g, x) => meanNegative(g, x as Value) },
  "the critic's logistic": { shapes: pair, build: two(logisticCritic), at: apart },
  "the generator's logistic": { shapes: [[3, 4]], build: (g, x) => logisticGenerator(g, x as Value), at: apart },
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
