import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { adam } from '#models/autodiff/optimizers.ts'
import { mul } from '#models/graph/arithmetic.ts'
import { linear } from '#models/nn/layers.ts'
import { meanSquaredError } from '#models/nn/losses.ts'
import { Runtime } from '../runtime/runtime.ts'
import { Random } from './random.ts'
import { StepBuilder, type StepPlan } from './step-builder.ts'
import { TrainingSession } from './training-session.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

/** A layer too large for one group, whose batch is learned from in so many parts. */
function planOf(parts: number): StepPlan {
  const step = new StepBuilder('parts')
  const { g } = step
  const optimizer = adam()
  const network = step.network(
    'network',
    (on, weights) => {
      const layers = { g: on, weights, layout: 'rows' } as const
      linear(layers, 'second', linear(layers, 'first', on.input('rows', 'float32', [8, 300]), 300), 300)
    },
    { optimizer, clip: 0.01 },
  )
  const rows = step.input('rows', 'float32', [8, 300])
  const cut = parts === 1 ? [rows] : g.op('Split', [rows, g.integers(Array(parts).fill(8 / parts))], { axis: 0 })
  const layers = { g, weights: network.weights, layout: 'rows' } as const
  const losses = cut.map((part) =>
    meanSquaredError(g, linear(layers, 'second', linear(layers, 'first', part, 300), 300), mul(g, part, 0.5)),
  )
  step.minimise(network, ...losses)
  return step.build()
}

function trained(plan: StepPlan): ReadonlyMap<string, Float32Array> {
  using session = new TrainingSession(ort, plan)
  session.initialize(new Random(3))
  const { data } = session.inputs.rows ?? {}
  assert.ok(data instanceof Float32Array)
  for (let t = 1; t <= 5; t++) {
    for (let i = 0; i < data.length; i++) data[i] = Math.sin(0.3 * i + t)
    session.run(t, 1e-3)
  }
  return session.weights('network')
}

test('what is learned from a batch in parts is what is learned from it at once', () => {
  const [whole, inParts] = [trained(planOf(1)), trained(planOf(4))]
  assert.ok(
    [...(planOf(1).networks[0]?.state.values() ?? [])].every((lengths) => lengths.length > 1),
    'several groups',
  )
  for (const [name, weights] of whole) {
    const other = inParts.get(name)
    assert.ok(
      weights.every((weight, i) => Math.abs(weight - (other?.[i] ?? Number.NaN)) < 2e-5),
      name,
    )
  }
})

test('frozen weights have to be there, as long as the plan has them', () => {
  const step = new StepBuilder('frozen')
  const frozen = step.frozen.weight({ name: 'w', shape: [4, 3], initial: { kind: 'constant', value: 0 } })
  step.metric('w', meanSquaredError(step.g, frozen, mul(step.g, frozen, 2)))
  const plan = step.build()
  assert.throws(() => new TrainingSession(ort, plan), { name: 'RangeError', message: 'w has to be [4,3]' })
  assert.throws(() => new TrainingSession(ort, plan, new Map([['w', new Float32Array(3)]])), RangeError)
  using session = new TrainingSession(ort, plan, new Map([['w', new Float32Array(12).fill(3)]]))
  assert.deepEqual(session.run(1, 1), { w: 9 })
})
