/**
 * The graph of one step of training: networks whose weights and optimiser state come in and go out, losses that they are
 * moved by, and what is told of it.
 */
import { gradients } from '#models/autodiff/gradients.ts'
import { clipNorm, movingAverage, type Optimizer } from '#models/autodiff/optimizers.ts'
import { reshape, sizeOf } from '#models/graph/arithmetic.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import type { Graph, Value } from '#models/graph/graph.ts'
import type { ElementType, Shape } from '#models/graph/tensor-type.ts'
import { type Asked, elementsOf, listWeights, partsOf, type Weights } from '#models/nn/trainable.ts'

/** Where what is fed is asked for: the step, or the graph that a network is listed on. */
export type Inputs = Pick<GraphBuilder, 'input'>

export interface NetworkOptions {
  readonly optimizer: Optimizer
  /** Longest gradient. */
  readonly clip?: number
  /** Decay of a moving average of the weights, which is kept beside them. */
  readonly averaging?: number
}

/** A network of the step. */
export interface Network {
  readonly name: string
  /** As they come in. */
  readonly weights: Weights
}

/** What the host has to know of a network. */
export interface NetworkPlan extends Asked {
  readonly name: string
  readonly optimizer: Optimizer
  /** Flat tensors, and their lengths, that a step reads as `name` and writes as `next.name`; weights first. */
  readonly state: ReadonlyMap<string, number>
  /** Names of the state that is the moving average of the weights, and of the buffers. */
  readonly average: string | undefined
  readonly buffered: string | undefined
}

/** A graph that reads networks, is fed, and tells numbers. */
export interface MeasuringPlan {
  readonly graph: Graph
  /** What is fed anew each time. */
  readonly inputs: readonly Value[]
  /** Outputs of one element each. */
  readonly metrics: readonly string[]
}

export interface StepPlan extends MeasuringPlan {
  readonly networks: readonly NetworkPlan[]
}

interface Moving {
  readonly options: NetworkOptions
  readonly plan: NetworkPlan
  readonly state: ReadonlyMap<string, Value>
  /** The parts of the flat weights, which gradients are taken by. */
  readonly parts: ReadonlyMap<string, Value>
  readonly buffers: ReadonlyMap<string, Value>
  readonly updates: Map<string, Value>
  next?: readonly Value[]
}

export class StepBuilder {
  readonly g: GraphBuilder
  readonly #moving = new Map<string, Moving>()
  readonly #inputs: Value[] = []
  readonly #metrics = new Map<string, Value>()

  constructor(name: string) {
    this.g = new GraphBuilder(name)
  }

  /** Something that is fed each step. */
  input(name: string, element: ElementType, shape: Shape): Value {
    const value = this.g.input(name, element, shape)
    this.#inputs.push(value)
    return value
  }

  /** @param build what asks for the network's weights; called on a graph of its own, to list them */
  network(name: string, build: (g: GraphBuilder, weights: Weights) => unknown, options: NetworkOptions): Network {
    const { g } = this
    const listed = new GraphBuilder(name)
    const asked = listWeights(listed, (weights) => build(listed, weights))
    const lengthOf = (specs: Asked['buffers']) => specs.reduce((sum, { shape }) => sum + elementsOf(shape), 0)
    const elements = lengthOf(asked.weights)
    const average = options.averaging === undefined ? undefined : `${name}.average`
    const buffered = asked.buffers.length === 0 ? undefined : `${name}.buffers`
    const state = new Map(['weights', ...options.optimizer.state].map((part) => [`${name}.${part}`, elements]))
    if (average) state.set(average, elements)
    if (buffered) state.set(buffered, lengthOf(asked.buffers))
    const values = new Map([...state].map(([part, length]) => [part, g.input(part, 'float32', [length])]))
    const flat = (part: string) => values.get(part) as Value
    const moving: Moving = {
      options,
      plan: { name, ...asked, optimizer: options.optimizer, state, average, buffered },
      state: values,
      parts: partsOf(g, flat(`${name}.weights`), asked.weights),
      buffers: buffered ? partsOf(g, flat(buffered), asked.buffers) : new Map(),
      updates: new Map(),
    }
    this.#moving.set(name, moving)
    return { name, weights: weightsOf(moving, moving.parts) }
  }

  /** A network as it is in a plan, which is read and not moved. @param averaged its moving average, if it has one */
  trained({ name, weights, buffers, average, buffered }: NetworkPlan, { averaged = false } = {}): Weights {
    const { g } = this
    const lengthOf = (specs: Asked['buffers']) => specs.reduce((sum, { shape }) => sum + elementsOf(shape), 0)
    const read = (state: string, specs: Asked['buffers']) =>
      partsOf(g, g.input(state, 'float32', [lengthOf(specs)]), specs)
    const parts = read(averaged && average ? average : `${name}.weights`, weights)
    return weightsOf({ buffers: buffered ? read(buffered, buffers) : new Map(), updates: new Map() }, parts)
  }

  /**
   * Moves a network's weights to make a loss small. Returns the weights after it, for what comes later in the same step.
   * @throws GraphError if the loss does not depend on each of its weights
   */
  minimise({ name }: Network, loss: Value): Weights {
    const { g } = this
    const moving = this.#moving.get(name)
    if (!moving || moving.next) throw new TypeError(`${name} is moved once, by the step that it is of`)
    const { options, plan, state, parts } = moving
    const found = gradients(g, loss, [...parts.values()]).map((gradient) => reshape(g, gradient, [sizeOf(gradient)]))
    let [gradient] = found.length === 1 ? found : g.op('Concat', found, { axis: 0 })
    if (!gradient) throw new TypeError(`${name} has no weights`)
    if (options.clip !== undefined) {
      const clipped = clipNorm(g, gradient, options.clip)
      gradient = clipped.gradient
      this.metric(`${name}.gradient_norm`, clipped.norm)
    }
    const scalars = Object.fromEntries(
      Object.keys(plan.optimizer.scalars(1, 1)).map((scalar) => [scalar, g.input(`${name}.${scalar}`, 'float32', [])]),
    )
    const own = (part: string) => state.get(`${name}.${part}`) as Value
    const updated = plan.optimizer.update(g, {
      weights: own('weights'),
      gradient,
      state: Object.fromEntries(plan.optimizer.state.map((part) => [part, own(part)])),
      scalars,
    })
    const averages =
      options.averaging === undefined ? [] : [movingAverage(g, own('average'), updated.weights, options.averaging)]
    moving.next = [updated.weights, ...updated.state, ...averages]
    return weightsOf(moving, partsOf(g, updated.weights, plan.weights))
  }

  /** Tells a number each step. */
  metric(name: string, value: Value): void {
    this.#metrics.set(name, value)
  }

  build(): StepPlan {
    const { g } = this
    for (const { plan, next, buffers, updates } of this.#moving.values()) {
      if (!next) throw new TypeError(`${plan.name} is never moved`)
      const after = [...buffers].map(([name, before]) => updates.get(name) ?? before)
      const flat = after.map((value) => reshape(g, value, [sizeOf(value)]))
      const written = [...next, ...(flat.length > 1 ? g.op('Concat', flat, { axis: 0 }) : flat)]
      for (const [i, part] of [...plan.state.keys()].entries()) {
        g.output(g.op('Identity', [written[i] as Value], {})[0], `next.${part}`)
      }
    }
    for (const [name, value] of this.#metrics) {
      g.output(g.op('Identity', [reshape(g, value, [])], {})[0], `metric.${name}`)
    }
    return {
      graph: g.build(),
      networks: [...this.#moving.values()].map(({ plan }) => plan),
      inputs: this.#inputs,
      metrics: [...this.#metrics.keys()],
    }
  }
}

const weightsOf = (
  { buffers, updates }: Pick<Moving, 'buffers' | 'updates'>,
  parts: ReadonlyMap<string, Value>,
): Weights => ({
  weight: ({ name }) => named(parts, name),
  buffer: ({ name }) => named(buffers, name),
  update(name, value) {
    if (!updates.has(name)) updates.set(name, value)
  },
})

function named(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name)
  if (!value) throw new TypeError(`${name} was not asked for when the network was made`)
  return value
}
