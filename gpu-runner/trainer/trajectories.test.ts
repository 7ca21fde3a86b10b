/** Whole runs of training against PyTorch's, from the same weights on the same data: testdata/make_trajectories.py. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { type AutoencoderConfig, rebuildRows } from '#models/architectures/autoencoder.ts'
import { criticise, type GanConfig, generate } from '#models/architectures/gan.ts'
import { type GptConfig, gptLoss } from '#models/architectures/gpt.ts'
import { type VaeConfig, vaeLoss } from '#models/architectures/vae.ts'
import { stopGradient } from '#models/autodiff/gradients.ts'
import { adam, sgd } from '#models/autodiff/optimizers.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import type { Layers } from '#models/nn/layers.ts'
import { hingeCritic, logisticCritic, logisticGenerator, meanNegative, meanSquaredError } from '#models/nn/losses.ts'
import { spectralNorm } from '#models/nn/spectral-norm.ts'
import { type BufferSpec, elementsOf, type Weights } from '#models/nn/trainable.ts'
import { Runtime } from '../runtime/runtime.ts'
import { type Network, StepBuilder } from './step-builder.ts'
import { TrainingSession } from './training-session.ts'

type Summary = Readonly<Record<string, readonly [sum: number, squares: number, last: number]>>
interface Trajectory {
  readonly metrics: Readonly<Record<string, readonly number[]>>
  readonly weights: Summary
  readonly average?: Summary
}

const file = path.join(import.meta.dirname, 'testdata', 'trajectories.json')
const { trajectories } = JSON.parse(readFileSync(file, 'utf8')) as { trajectories: Record<string, Trajectory> }
const STEPS = 20

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

/** The sines that the reference begins with and is fed. */
const wave = (length: number, phase: number, step = 0.37) =>
  Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * step + phase)))

function begin({ name, shape }: BufferSpec): Float32Array {
  const length = elementsOf(shape)
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  if (name.endsWith('running_mean')) return new Float32Array(length)
  if (name.endsWith('running_var')) return new Float32Array(length).fill(1)
  const isNorm = /norm|ln_/.test(name)
  return wave(length, phase).map((x) => {
    if (name.endsWith('direction')) return x
    if (shape.length > 1) return x / Math.sqrt(elementsOf(shape.slice(1)))
    return 0.1 * x + (isNorm && name.endsWith('weight') ? 1 : 0)
  })
}

interface Run {
  readonly step: StepBuilder
  readonly rate: number | ((step: number) => number)
  readonly feed: (session: TrainingSession, step: number) => void
  readonly networks: readonly string[]
}

/** Trains, and compares what it told and what it learned. */
function follows(name: string, { step, rate, feed, networks }: Run): void {
  const reference = trajectories[name]
  assert.ok(reference, name)
  const plan = step.build()
  using session = new TrainingSession(ort, plan)
  for (const network of plan.networks) {
    const specs = [...network.weights, ...network.buffers]
    session.load(network.name, new Map(specs.map((spec) => [spec.name, begin(spec)])))
  }
  for (let t = 1; t <= STEPS; t++) {
    feed(session, t)
    const told = session.run(t, typeof rate === 'number' ? rate : rate(t))
    for (const [metric, values] of Object.entries(reference.metrics)) {
      near(told[metric], values[t - 1] ?? Number.NaN, 2e-4, `${metric} of step ${t}`)
    }
  }
  const learned = new Map(networks.flatMap((network) => [...session.weights(network)]))
  agrees(learned, reference.weights)
  if (reference.average) {
    agrees(session.weights('generator', { averaged: true }), reference.average)
  }
}

function agrees(learned: ReadonlyMap<string, Float32Array>, reference: Summary): void {
  for (const [name, [sum, squares, last]] of Object.entries(reference)) {
    const data = learned.get(name) ?? new Float32Array()
    const scale = Math.sqrt(squares * data.length)
    near(
      data.reduce((a, b) => a + b, 0),
      sum,
      (5e-4 * scale) / Math.max(1, Math.abs(sum)),
      `${name}: sum`,
    )
    near(
      data.reduce((a, b) => a + b * b, 0),
      squares,
      1e-3,
      `${name}: squares`,
    )
    near(data.at(-1), last, 2e-3, `${name}: last`)
  }
}

/** Within a share of the reference, or of 1 if that is more. */
function near(actual: number | undefined, expected: number, share: number, what: string): void {
  const error = Math.abs((actual ?? Number.NaN) - expected)
  assert.ok(error <= share * Math.max(1, Math.abs(expected)), `${what} is ${actual}, not ${expected}`)
}

function fill(session: TrainingSession, name: string, data: ArrayLike<number> | ArrayLike<bigint>): void {
  const target = session.inputs[name]
  assert.ok(target, name)
  for (let i = 0; i < data.length; i++) target.data[i] = data[i] ?? Number.NaN
}

// Autoencoder of rows

const MLP: AutoencoderConfig = { columns: 20, latents: 3, hidden: [16, 8], output: 'linear' }
for (const [name, optimizer, rate] of [
  ['mlp-adamw', adam({ weightDecay: 0.1 }), 1e-2],
  ['mlp-sgd', sgd({ momentum: 0.9, nesterov: true }), 0.1],
  ['mlp-sgd-plain', sgd(), 0.1],
] as const) {
  test(`an autoencoder learns what PyTorch's does: ${name}`, () => {
    const step = new StepBuilder(name)
    const rows = step.input('rows', 'float32', [8, 20])
    const build = (g: GraphBuilder, weights: Weights, x: Value) => rebuildRows({ g, weights, layout: 'rows' }, MLP, x)
    const network = step.network('mlp', (g, weights) => build(g, weights, g.input('rows', 'float32', [8, 20])), {
      optimizer,
    })
    const loss = meanSquaredError(step.g, build(step.g, network.weights, rows), rows)
    step.minimise(network, loss)
    step.metric('loss', loss)
    follows(name, {
      step,
      rate,
      networks: ['mlp'],
      feed: (session, t) => fill(session, 'rows', wave(160, t, 0.11)),
    })
  })
}

test("a variational autoencoder learns what PyTorch's does", () => {
  const config: VaeConfig = { channels: 1, height: 16, width: 16, latents: 3, hidden: [4, 8] }
  const step = new StepBuilder('vae')
  const build = (g: GraphBuilder, weights: Weights, value: Value, noise: Value) => {
    const images = { value, images: 4, channels: 1, height: 16, width: 16 }
    return vaeLoss({ g, weights, layout: 'rows' }, config, images, { noise, beta: 2 })
  }
  const inputs = (g: Pick<GraphBuilder, 'input'>) =>
    [g.input('images', 'float32', [1024, 1]), g.input('noise', 'float32', [4, 3])] as const
  const network = step.network('vae', (g, weights) => void build(g, weights, ...inputs(g)), { optimizer: adam() })
  const losses = build(step.g, network.weights, ...inputs(step))
  step.minimise(network, losses.loss)
  for (const [name, value] of Object.entries(losses)) step.metric(name, value)
  follows('vae', {
    step,
    rate: 1e-2,
    networks: ['vae'],
    feed(session, t) {
      fill(
        session,
        'images',
        wave(1024, t, 0.11).map((x) => 0.5 + 0.5 * x),
      )
      fill(session, 'noise', wave(12, 0.9 * t, 1.7))
    },
  })
})

// Adversarial networks

const GAN: GanConfig = { channels: 1, height: 16, width: 16, latents: 5, condition: 0, hidden: [8, 4] }
const images = (value: Value) => ({ value, images: 4, channels: 1, height: 16, width: 16 })
const feedGan = (session: TrainingSession, t: number) => {
  fill(session, 'images', wave(1024, t, 0.11))
  fill(session, 'latents', wave(20, 0.9 * t, 1.7))
}

test("DCGAN learns what PyTorch's does", () => {
  const step = new StepBuilder('dcgan')
  const { g } = step
  const real = step.input('images', 'float32', [1024, 1])
  const latents = step.input('latents', 'float32', [4, 5])
  const optimizer = adam({ beta1: 0.5 })
  const makes = (layers: Layers, z: Value) => generate(layers, GAN, { latents: z, training: true })
  const judges = (layers: Layers, x: Value) => criticise(layers, GAN, images(x), { batchNorm: true })
  const layersOf = (weights: Weights, on = g): Layers => ({ g: on, weights, layout: 'rows' })
  const generator = step.network(
    'generator',
    (on, weights) => void makes(layersOf(weights, on), on.input('z', 'float32', [4, 5])),
    { optimizer },
  )
  const critic: Network = step.network(
    'critic',
    (on, weights) => void judges(layersOf(weights, on), on.input('x', 'float32', [1024, 1])),
    { optimizer },
  )
  const fake = makes(layersOf(generator.weights), latents).value
  const before = layersOf(critic.weights)
  const criticLoss = logisticCritic(g, judges(before, real), judges(before, stopGradient(g, fake)))
  const moved = step.minimise(critic, criticLoss)
  const generatorLoss = logisticGenerator(g, judges(layersOf(moved), fake))
  step.minimise(generator, generatorLoss)
  step.metric('critic', criticLoss)
  step.metric('generator', generatorLoss)
  follows('dcgan', { step, rate: 2e-3, networks: ['generator', 'critic'], feed: feedGan })
})

test("a conditional GAN with spectral norms and hinge losses learns what PyTorch's does", () => {
  const config = { ...GAN, condition: 2 }
  const step = new StepBuilder('spectral')
  const { g } = step
  const real = step.input('images', 'float32', [1024, 1])
  const latents = step.input('latents', 'float32', [4, 5])
  const condition = step.input('condition', 'float32', [4, 2])
  const layersOf = (weights: Weights, on = g): Layers => ({ g: on, weights, layout: 'rows' })
  const makes = (layers: Layers, z: Value, c: Value) =>
    generate(layers, config, { latents: z, condition: c, training: true })
  const judges = (layers: Layers, x: Value, c: Value) =>
    criticise(layers, config, images(x), { condition: c, batchNorm: false })
  const generator = step.network(
    'generator',
    (on, weights) =>
      void makes(layersOf(weights, on), on.input('z', 'float32', [4, 5]), on.input('c', 'float32', [4, 2])),
    { optimizer: adam({ beta1: 0, beta2: 0.9 }), averaging: 0.9 },
  )
  const critic = step.network(
    'critic',
    (on, weights) => {
      const inputs = [on.input('x', 'float32', [1024, 1]), on.input('c', 'float32', [4, 2])] as const
      judges(layersOf(spectralNorm(on, weights), on), ...inputs)
    },
    { optimizer: adam({ beta1: 0, beta2: 0.9 }) },
  )
  const fake = makes(layersOf(generator.weights), latents, condition).value
  const before = layersOf(spectralNorm(g, critic.weights))
  const criticLoss = hingeCritic(g, judges(before, real, condition), judges(before, stopGradient(g, fake), condition))
  const moved = step.minimise(critic, criticLoss)
  const generatorLoss = meanNegative(g, judges(layersOf(spectralNorm(g, moved)), fake, condition))
  step.minimise(generator, generatorLoss)
  step.metric('critic', criticLoss)
  step.metric('generator', generatorLoss)
  follows('spectral', {
    step,
    rate: 2e-3,
    networks: ['generator', 'critic'],
    feed(session, t) {
      feedGan(session, t)
      fill(session, 'condition', wave(8, 0.3 * t, 2.1))
    },
  })
})

test("a GPT learns what PyTorch's does, with clipped gradients and a schedule", () => {
  const config: GptConfig = { vocabulary: 17, context: 64, width: 16, heads: 2, layers: 2 }
  const step = new StepBuilder('gpt')
  const inputs = (g: Pick<GraphBuilder, 'input'>) =>
    [g.input('ids', 'int64', [2, 64]), g.input('next', 'int64', [128])] as const
  const build = (g: GraphBuilder, weights: Weights, ids: Value, next: Value) =>
    gptLoss({ g, weights, layout: 'rows' }, config, ids, next)
  const network = step.network('gpt', (g, weights) => void build(g, weights, ...inputs(g)), {
    optimizer: adam({ weightDecay: 0.1 }),
    clip: 0.5,
  })
  const loss = build(step.g, network.weights, ...inputs(step))
  step.minimise(network, loss)
  step.metric('loss', loss)
  follows('gpt', {
    step,
    rate: (t) => rateAt({ rate: 1e-2, warmup: 5, cosineTo: 1e-3 }, t, STEPS),
    networks: ['gpt'],
    feed(session, t) {
      const text = [0, 1].map((b) => Array.from({ length: 65 }, (_, i) => BigInt((i * i + 3 * b + t) % 17)))
      fill(
        session,
        'ids',
        text.flatMap((line) => line.slice(0, -1)),
      )
      fill(
        session,
        'next',
        text.flatMap((line) => line.slice(1)),
      )
    },
  })
})
