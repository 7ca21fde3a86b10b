/** Whole runs of training against PyTorch's, from the same weights on the same data: testdata/make_trajectories.py. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { type AutoencoderConfig, rebuildRows } from '#models/architectures/autoencoder.ts'
import type { GanConfig } from '#models/architectures/gan.ts'
import { type LlamaLoraConfig, MATRICES } from '#models/architectures/llama-lora.ts'
import { adam, sgd } from '#models/autodiff/optimizers.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { meanSquaredError } from '#models/nn/losses.ts'
import { type BufferSpec, elementsOf, type Weights } from '#models/nn/trainable.ts'
import { Runtime } from '../runtime/runtime.ts'
import { ganPlan } from './plans/gan-plan.ts'
import { gptPlan } from './plans/gpt-plan.ts'
import { llamaLoraPlan } from './plans/llama-lora-plan.ts'
import { KEPT_ROWS, pickedRows, translationPlan } from './plans/translation-plan.ts'
import { vaePlan } from './plans/vae-plan.ts'
import { StepBuilder, type StepPlan } from './step-builder.ts'
import { fillMoves } from './tasks/augmentation.ts'
import { ganRate } from './tasks/gan-task.ts'
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

function begin({ name, shape }: BufferSpec): Float32Array<ArrayBuffer> {
  const length = elementsOf(shape)
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  if (name.endsWith('running_mean')) return new Float32Array(length)
  if (name.endsWith('running_var')) return new Float32Array(length).fill(1)
  const isNorm = /norm|ln_/.test(name)
  return wave(length, phase).map((x) => {
    if (shape.length > 1) return x / Math.sqrt(elementsOf(shape.slice(1)))
    return 0.1 * x + (isNorm && name.endsWith('weight') ? 1 : 0)
  })
}

interface Run {
  readonly plan: StepPlan
  readonly rate: number | ((step: number) => number)
  readonly feed: (session: TrainingSession, step: number) => void
  readonly networks: readonly string[]
}

/** Trains, and compares what it told and what it learned. */
function follows(name: string, { plan, rate, feed, networks }: Run): void {
  const reference = trajectories[name]
  assert.ok(reference, name)
  const frozen = new Map(plan.frozen.map((spec) => [spec.name, begin(spec)]))
  using session = new TrainingSession(ort, plan, frozen)
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
    agrees(session.weights(networks[0] ?? '', { averaged: true }), reference.average)
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
      plan: step.build(),
      rate,
      networks: ['mlp'],
      feed: (session, t) => fill(session, 'rows', wave(160, t, 0.11)),
    })
  })
}

for (const [name, condition] of [
  ['vae', undefined],
  ['conditional-vae', 2],
] as const) {
  test(`a variational autoencoder learns what PyTorch's does: ${name}`, () => {
    const config = { channels: 1, height: 16, width: 16, latents: 3, hidden: [4, 8], condition }
    follows(name, {
      plan: vaePlan(config, { batch: 4, beta: 2 }),
      rate: 1e-2,
      networks: ['vae'],
      feed(session, t) {
        fill(
          session,
          'images',
          wave(1024, t, 0.11).map((x) => 0.5 + 0.5 * x),
        )
        fill(session, 'noise', wave(12, 0.9 * t, 1.7))
        if (condition) fill(session, 'condition', wave(8, 0.3 * t, 2.1))
      },
    })
  })
}

const GAN: GanConfig = { channels: 1, height: 16, width: 16, latents: 5, condition: 0, hidden: [8, 4] }
const feedGan = (session: TrainingSession, t: number) => {
  fill(session, 'images', wave(1024, t, 0.11))
  fill(session, 'latents', wave(20, 0.9 * t, 1.7))
}

test("DCGAN learns what PyTorch's does", () => {
  const plan = ganPlan(GAN, { batch: 4, style: 'dcgan' })
  follows('dcgan', { plan, rate: 2e-3, networks: ['generator', 'critic'], feed: feedGan })
})

const feedConditional = (session: TrainingSession, t: number) => {
  feedGan(session, t)
  fill(session, 'condition', wave(8, 0.3 * t, 2.1))
  fill(session, 'noise', wave(1024, 1.1 * t, 2.3))
}
const relativisticRate = (t: number) => ganRate({ style: 'relativistic', rate: 2e-3 }, t, STEPS)

test("a conditional GAN with relativistic losses and a steady critic learns what PyTorch's does", () => {
  follows('relativistic', {
    plan: ganPlan({ ...GAN, condition: 2 }, { batch: 4, style: 'relativistic', averaging: 0.9 }),
    rate: relativisticRate,
    networks: ['generator', 'critic'],
    feed: feedConditional,
  })
})

test("with augmented images and a perceptual loss of the nearest drawings it learns what PyTorch's does", () => {
  follows('augmented', {
    plan: ganPlan(
      { ...GAN, condition: 2 },
      { batch: 4, style: 'relativistic', averaging: 0.9, augmented: true, matching: 2 },
    ),
    rate: relativisticRate,
    networks: ['generator', 'critic'],
    feed(session, t) {
      feedConditional(session, t)
      fill(session, 'latents', wave(80, 0.9 * t, 1.7))
      fill(session, 'told', [1, 0, 1, 1])
      fill(
        session,
        'augment.colours',
        wave(4, t, 0.7).map((x) => 1 + 0.5 * x),
      )
      fill(
        session,
        'augment.brightness',
        wave(4, t, 1.3).map((x) => 0.3 * x),
      )
      const index = (name: string) => session.inputs[name]?.data as Int32Array
      fillMoves(
        { source: index('augment.source'), target: index('augment.target') },
        GAN,
        Array.from({ length: 4 }, (_, i) => ({
          right: ((2 * i + t) % 3) - 1,
          down: ((i + 2 * t) % 3) - 1,
          cut: { left: (3 * i + t) % 10, top: (5 * i + 2 * t) % 10, width: 8, height: 8 },
        })),
      )
    },
  })
})

/** Two lines of text, and the token after each of theirs. */
function feedText(session: TrainingSession, t: number): void {
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
}

test("a GPT learns what PyTorch's does, with clipped gradients and a schedule", () => {
  const config = { vocabulary: 17, context: 64, width: 16, heads: 2, layers: 2 }
  follows('gpt', {
    plan: gptPlan(config, { batch: 2, weightDecay: 0.1, clip: 0.5 }),
    rate: (t) => rateAt({ rate: 1e-2, warmup: 5, cosineTo: 1e-3 }, t, STEPS),
    networks: ['gpt'],
    feed: feedText,
  })
})

test("adapters beside a frozen Llama learn what PyTorch's do", () => {
  const config: LlamaLoraConfig = {
    layers: 2,
    hiddenSize: 24,
    heads: 4,
    kvHeads: 2,
    headDim: 8,
    ffnSize: 20,
    vocabularySize: 17,
    normEpsilon: 1e-5,
    ropeBase: 1000,
    adapted: MATRICES.filter((name) => name !== 'attn_k'),
    rank: 3,
    alpha: 1.5,
  }
  follows('lora', {
    plan: llamaLoraPlan(config, { batch: 2, length: 64, clip: 0.5 }),
    rate: 3e-3,
    networks: ['adapters'],
    feed: feedText,
  })
})

test("a model that translates learns what PyTorch's does, with dropout, smoothed targets and several sentences a line", () => {
  const config = {
    ...{ vocabulary: 19, width: 16, heads: 2, hidden: 24, encoderLayers: 2, decoderLayers: 2 },
    positions: 16,
  }
  const shape = { lines: 2, sourceLength: 12, targetLength: 10 }
  const both = (length: number, of: (i: number, line: number) => number) =>
    [0, 1].flatMap((line) => Array.from({ length }, (_, i) => BigInt(of(i, line))))
  const fillSide = (session: TrainingSession, side: string, lengths: readonly number[], length: number, t: number) => {
    const places = lengths.flatMap((n) => Array.from({ length: n }, (_, i) => i))
    const sentences = lengths.flatMap((n, i) => Array<number>(n).fill(i))
    fill(
      session,
      `${side}.ids`,
      both(length, (i, line) => (i * i + 3 * line + t) % 19),
    )
    fill(
      session,
      `${side}.places`,
      both(length, (i) => places[i] ?? 0),
    )
    fill(
      session,
      `${side}.sentences`,
      both(length, (i) => sentences[i] ?? lengths.length),
    )
  }
  follows('translation', {
    plan: translationPlan(config, { ...shape, smoothing: 0.1, dropout: 0.2, clip: 0.5, averaging: 0.99 }),
    rate: 5e-3,
    networks: ['translator'],
    feed(session, t) {
      fillSide(session, 'source', [5, 4], 12, t)
      fillSide(session, 'target', [3, 6], 10, 2 * t)
      fill(
        session,
        'next',
        both(10, (i, line) => (5 * i + line + t) % 19),
      )
      fill(
        session,
        'weights',
        Array.from({ length: 20 }, (_, i) => (i % 10 < 9 ? 1 / 18 : 0)),
      )
      fill(
        session,
        'kept',
        wave(KEPT_ROWS * 16, 0.5, 1.3).map((x) => (x > -0.8 ? 1 / 0.8 : 0)),
      )
      fill(
        session,
        'picks',
        Array.from({ length: pickedRows(config, shape) }, (_, i) => BigInt((7 * i + t) % KEPT_ROWS)),
      )
    },
  })
})
