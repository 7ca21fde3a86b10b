/**
 * Runs steps of training. Weights and optimiser state lie in two sets of tensors: a step reads the one and writes the
 * other, so that nothing is copied and nothing is read while it is written.
 */

import { dimsOf } from '#models/graph/arithmetic.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { WeightSpec } from '#models/nn/trainable.ts'
import { elementsOf, fromKept, toKept } from '#models/nn/trainable.ts'
import type { Binding } from '../runtime/binding.ts'
import type { Runtime, Session } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { Random } from './random.ts'
import type { NetworkPlan, StepPlan } from './step-builder.ts'

type Tensors = Readonly<Record<string, Tensor>>

/** State, each tensor of it whole and in the parts that a step reads. */
interface Side {
  readonly whole: Tensors
  readonly parts: Tensors
}

export class TrainingSession implements Disposable {
  /** What the next step reads, to be filled before it. */
  readonly inputs: Tensors
  readonly #plan: StepPlan
  readonly #session: Session
  readonly #frozen: Tensors
  readonly #scalars: Tensors
  readonly #metrics: Tensors
  readonly #sides: readonly [Side, Side]
  readonly #bindings: readonly [Binding, Binding]
  #side: 0 | 1 = 0

  /**
   * @param frozen the plan's frozen weights, in the form in which they are kept: they are read where they are
   * @throws RangeError if one is missing or not as long as it has to be
   */
  constructor(ort: Runtime, plan: StepPlan, frozen: ReadonlyMap<string, Float32Array<ArrayBuffer>> = new Map()) {
    this.#plan = plan
    const named = (entries: readonly (readonly [string, Tensor])[]): Tensors => Object.fromEntries(entries)
    this.#frozen = named(
      plan.frozen.map(({ name, shape, kept }) => {
        const data = frozen.get(name)
        if (data?.length !== elementsOf(shape)) throw new RangeError(`${name} has to be [${shape}]`)
        return [name, ort.tensor('float32', kept?.shape ?? shape, data)]
      }),
    )
    this.#session = ort.session(encodeModel(plan.graph))
    this.inputs = named(plan.inputs.map((value) => [value.name, ort.tensor(value.element, dimsOf(value))]))
    this.#scalars = named(
      plan.networks.flatMap(({ name, optimizer }) =>
        Object.keys(optimizer.scalars(1, 1)).map((scalar) => [`${name}.${scalar}`, ort.tensor('float32', [])] as const),
      ),
    )
    this.#metrics = named(plan.metrics.map((name) => [name, ort.tensor('float32', [])]))
    this.#sides = [sideOf(ort, plan), sideOf(ort, plan)]
    const bind = (from: Side, to: Side) =>
      this.#session.bind(
        { ...this.inputs, ...this.#frozen, ...this.#scalars, ...from.parts },
        {
          ...named(Object.entries(to.parts).map(([name, tensor]) => [`next.${name}`, tensor])),
          ...named(Object.entries(this.#metrics).map(([name, tensor]) => [`metric.${name}`, tensor])),
        },
      )
    this.#bindings = [bind(this.#sides[0], this.#sides[1]), bind(this.#sides[1], this.#sides[0])]
  }

  /** Draws the weights that training begins with; optimiser state is zero. */
  initialize(random: Random): void {
    for (const { name, weights, buffers } of this.#plan.networks)
      this.load(name, drawn([...weights, ...buffers], random))
  }

  /** Sets weights, and their average, from a checkpoint. @throws RangeError if one is not as long as it has to be */
  load(network: string, checkpoint: ReadonlyMap<string, Float32Array>): void {
    const plan = this.#planOf(network)
    const fill = (state: string, specs: readonly WeightSpec[]) => {
      const flat = this.state(state)
      let at = 0
      for (const spec of specs) {
        const data = checkpoint.get(spec.name)
        if (data?.length !== elementsOf(spec.shape)) throw new RangeError(`${spec.name} has to be [${spec.shape}]`)
        flat.set(toKept(spec, data), at)
        at += data.length
      }
    }
    fill(`${network}.weights`, plan.weights)
    if (plan.average) fill(plan.average, plan.weights)
    if (plan.buffered) fill(plan.buffered, plan.buffers)
  }

  /** A network's weights, or their average, and its buffers, as checkpoints have them. */
  weights(network: string, { averaged = false } = {}): ReadonlyMap<string, Float32Array> {
    const plan = this.#planOf(network)
    const read = (state: string, specs: readonly WeightSpec[]) => {
      const flat = this.state(state)
      let at = 0
      return specs.map((spec) => {
        const length = elementsOf(spec.shape)
        const data = fromKept(spec, flat.subarray(at, at + length))
        at += length
        return [spec.name, data] as const
      })
    }
    return new Map([
      ...read(averaged && plan.average ? plan.average : `${network}.weights`, plan.weights),
      ...(plan.buffered ? read(plan.buffered, plan.buffers) : []),
    ])
  }

  /** A flat tensor of the state as it is now, in place until the next step. */
  state(name: string): Float32Array {
    return this.stateTensor(name).data as Float32Array
  }

  /** As `state`. */
  stateTensor(name: string): Tensor {
    const tensor = this.#sides[this.#side].whole[name]
    if (!tensor) throw new RangeError(`there is no state called ${name}`)
    return tensor
  }

  /** All of the state, by name, in an order that is always the same: what a checkpoint has to hold. */
  get stateNames(): readonly string[] {
    return this.#plan.networks.flatMap(({ state }) => [...state.keys()])
  }

  /** Does one step on what `inputs` hold. @param step from 1 */
  run(step: number, rate: number): Readonly<Record<string, number>> {
    for (const { name, optimizer } of this.#plan.networks) {
      for (const [scalar, value] of Object.entries(optimizer.scalars(step, rate))) {
        const data = this.#scalars[`${name}.${scalar}`]?.data
        if (data) data[0] = value
      }
    }
    this.#bindings[this.#side].run()
    this.#side = this.#side === 0 ? 1 : 0
    return Object.fromEntries(Object.entries(this.#metrics).map(([name, { data }]) => [name, Number(data[0])]))
  }

  #planOf(network: string): NetworkPlan {
    const plan = this.#plan.networks.find(({ name }) => name === network)
    if (!plan) throw new RangeError(`there is no network called ${network}`)
    return plan
  }

  [Symbol.dispose](): void {
    for (const binding of this.#bindings) binding[Symbol.dispose]()
    const sides = this.#sides.flatMap(({ parts, whole }) => [parts, whole])
    for (const tensors of [this.inputs, this.#frozen, this.#scalars, this.#metrics, ...sides]) {
      for (const tensor of Object.values(tensors)) tensor[Symbol.dispose]()
    }
    this.#session[Symbol.dispose]()
  }
}

function sideOf(ort: Runtime, { networks }: StepPlan): Side {
  const whole: Record<string, Tensor> = {}
  const parts: Record<string, Tensor> = {}
  for (const [name, lengths] of networks.flatMap(({ state }) => [...state])) {
    const total = lengths.reduce((a, b) => a + b, 0)
    const tensor = ort.tensor('float32', [total])
    whole[name] = tensor
    let at = 0
    for (const [i, length] of lengths.entries()) {
      parts[`${name}.${i}`] = ort.tensor('float32', [length], tensor.data.subarray(at, at + length))
      at += length
    }
  }
  return { whole, parts }
}

function drawn(specs: readonly WeightSpec[], random: Random): ReadonlyMap<string, Float32Array> {
  return new Map(
    specs.map(({ name, shape, initial }) => {
      const data = new Float32Array(elementsOf(shape))
      if (initial.kind === 'constant') data.fill(initial.value)
      else if (initial.kind === 'normal') random.normals(data, initial.deviation)
      else for (let i = 0; i < data.length; i++) data[i] = (2 * random.uniform() - 1) * initial.bound
      return [name, data] as const
    }),
  )
}
