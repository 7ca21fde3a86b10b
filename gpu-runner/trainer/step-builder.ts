/**
 * The graph of one step of training: networks whose weights and optimiser state come in and go out, losses that they are
 * moved by, and what is told of it.
 */
import { gradients } from '#models/autodiff/gradients.ts'
import { clipNorm, movingAverage, type Optimizer } from '#models/autodiff/optimizers.ts'
import { add, mul, reshape, sizeOf } from '#models/graph/arithmetic.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import type { Graph, Value } from '#models/graph/graph.ts'
import type { ElementType, Shape } from '#models/graph/tensor-type.ts'
import {
  type Asked,
  type BufferSpec,
  elementsOf,
  fedWeights,
  listWeights,
  partsOf,
  type WeightSpec,
  type Weights,
} from '#models/nn/trainable.ts'

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
  /**
   * Flat tensors, weights first, and the lengths of the parts that each is read and written in: `name.0` and on, which
   * become `next.name.0` and on.
   */
  readonly state: ReadonlyMap<string, readonly number[]>
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
  /** Weights that are read and stay as they are, each an input under its own name. */
  readonly frozen: readonly WeightSpec[]
}

interface Moving {
  readonly options: NetworkOptions
  readonly plan: NetworkPlan
  /** Weights that are moved together. */
  readonly groups: readonly (readonly WeightSpec[])[]
  /** Of each state, its parts: one for each group. */
  readonly state: ReadonlyMap<string, readonly Value[]>
  /** The weights, which gradients are taken by. */
  readonly parts: ReadonlyMap<string, Value>
  readonly buffers: ReadonlyMap<string, Value>
  readonly updates: Map<string, Value>
  /** What each state is after the step. */
  next?: readonly (readonly Value[])[]
}

/**
 * Fewest elements of a group. An optimiser is ten passes over the weights: what one leaves is in the cache for the next
 * only if there is not too much of it, and a pass over very little costs more than its work.
 */
const GROUP = 1 << 16

export class StepBuilder {
  readonly g: GraphBuilder
  readonly #moving = new Map<string, Moving>()
  readonly #inputs: Value[] = []
  readonly #metrics = new Map<string, Value>()
  readonly #frozen: ReturnType<typeof fedWeights>

  constructor(name: string) {
    this.g = new GraphBuilder(name)
    this.#frozen = fedWeights(this.g)
  }

  /** Weights that stay as they are. */
  get frozen(): Weights {
    return this.#frozen.weights
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
    const groups = groupsOf(asked.weights)
    const lengths = groups.map(lengthOf)
    const average = options.averaging === undefined ? undefined : `${name}.average`
    const buffered = asked.buffers.length === 0 ? undefined : `${name}.buffers`
    const state = new Map(['weights', ...options.optimizer.state].map((part) => [`${name}.${part}`, lengths]))
    if (average) state.set(average, lengths)
    if (buffered) state.set(buffered, [lengthOf(asked.buffers)])
    const values = new Map(
      [...state].map(([part, lengths]) => [
        part,
        lengths.map((length, i) => g.input(`${part}.${i}`, 'float32', [length])),
      ]),
    )
    const moving: Moving = {
      options,
      plan: { name, ...asked, optimizer: options.optimizer, state, average, buffered },
      groups,
      state: values,
      parts: unpacked(g, values.get(`${name}.weights`) ?? [], groups),
      buffers: buffered ? unpacked(g, values.get(buffered) ?? [], [asked.buffers]) : new Map(),
      updates: new Map(),
    }
    this.#moving.set(name, moving)
    return { name, weights: weightsOf(moving, moving.parts) }
  }

  /** A network as it is in a plan, which is read and not moved. @param averaged its moving average, if it has one */
  trained({ name, weights, buffers, average, buffered }: NetworkPlan, { averaged = false } = {}): Weights {
    const { g } = this
    const read = (state: string, specs: Asked['buffers']) =>
      partsOf(g, g.input(state, 'float32', [lengthOf(specs)]), specs)
    const parts = read(averaged && average ? average : `${name}.weights`, weights)
    return weightsOf({ buffers: buffered ? read(buffered, buffers) : new Map(), updates: new Map() }, parts)
  }

  /**
   * Moves a network's weights to make the mean of losses small, which may be of parts of a batch: of one part after the
   * other, all that its gradients need is computed and let go. Returns the weights after it, for what comes later in the
   * same step.
   * @throws GraphError if a loss does not depend on each of its weights
   */
  minimise({ name }: Network, ...losses: readonly Value[]): Weights {
    const { g } = this
    const moving = this.#moving.get(name)
    if (!moving || moving.next) throw new TypeError(`${name} is moved once, by the step that it is of`)
    const { options, plan, groups, state, parts } = moving
    let packed = meanGradients(g, losses, [...parts.values()], groups)
    if (options.clip !== undefined) {
      const clipped = clipNorm(g, packed, options.clip)
      packed = clipped.gradients
      this.metric(`${name}.gradient_norm`, clipped.norm)
    }
    const scalars = Object.fromEntries(
      Object.keys(plan.optimizer.scalars(1, 1)).map((scalar) => [scalar, g.input(`${name}.${scalar}`, 'float32', [])]),
    )
    const own = (part: string, group: number) => state.get(`${name}.${part}`)?.[group] as Value
    const updated = packed.map((gradient, i) =>
      plan.optimizer.update(g, {
        weights: own('weights', i),
        gradient,
        state: Object.fromEntries(plan.optimizer.state.map((part) => [part, own(part, i)])),
        scalars,
      }),
    )
    const weights = updated.map((group) => group.weights)
    const { averaging } = options
    moving.next = [
      weights,
      ...plan.optimizer.state.map((_, i) => updated.map(({ state }) => state[i] as Value)),
      ...(averaging === undefined ? [] : [weights.map((w, i) => movingAverage(g, own('average', i), w, averaging))]),
    ]
    return weightsOf(moving, unpacked(g, weights, groups))
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
      // A buffer may come out as it went in.
      const flat = after.map((value) => reshape(g, g.op('Identity', [value], {})[0], [sizeOf(value)]))
      const written = [...next, ...(plan.buffered ? [[joined(g, flat)]] : [])]
      for (const [i, state] of [...plan.state.keys()].entries()) {
        for (const [j, part] of (written[i] ?? []).entries()) g.output(part, `next.${state}.${j}`)
      }
    }
    for (const [name, value] of this.#metrics) {
      g.output(g.op('Identity', [reshape(g, value, [])], {})[0], `metric.${name}`)
    }
    return {
      graph: g.build(),
      networks: [...this.#moving.values()].map(({ plan }) => plan),
      frozen: this.#frozen.specs,
      inputs: this.#inputs,
      metrics: [...this.#metrics.keys()],
    }
  }
}

const lengthOf = (specs: readonly BufferSpec[]): number => specs.reduce((sum, { shape }) => sum + elementsOf(shape), 0)

/** Weights in order, in groups of at least GROUP elements but for the last. */
function groupsOf(weights: readonly WeightSpec[]): readonly (readonly WeightSpec[])[] {
  const groups: WeightSpec[][] = []
  for (const spec of weights) {
    const last = groups.at(-1)
    if (last && lengthOf(last) < GROUP) last.push(spec)
    else groups.push([spec])
  }
  return groups
}

/** Of the mean of losses, packed in groups. */
function meanGradients(
  g: GraphBuilder,
  losses: readonly Value[],
  weights: readonly Value[],
  groups: readonly (readonly WeightSpec[])[],
): readonly Value[] {
  const flatOf = (loss: Value) =>
    gradients(g, losses.length === 1 ? loss : mul(g, loss, 1 / losses.length), weights).map((gradient) =>
      reshape(g, gradient, [sizeOf(gradient)]),
    )
  const [only, ...more] = losses
  if (only && more.length === 0) {
    const flat = flatOf(only)
    return groups.map((group) => joined(g, flat.splice(0, group.length)))
  }
  // Joined, so that nothing but this is left of a loss when the next one is begun: ONNX Runtime computes what a node reads
  // before the node, the latest first.
  const flats = losses.map((loss) => joined(g, flatOf(loss)))
  const total = flats.reduce((a, b) => add(g, a, b))
  return groups.length === 1 ? [total] : g.op('Split', [total, g.integers(groups.map(lengthOf))], { axis: 0 })
}

/** One after the other. */
const joined = (g: GraphBuilder, [first, ...more]: readonly Value[]): Value => {
  if (!first) throw new TypeError('there is nothing to join')
  return more.length === 0 ? first : g.op('Concat', [first, ...more], { axis: 0 })[0]
}

const unpacked = (
  g: GraphBuilder,
  packed: readonly Value[],
  groups: readonly (readonly (BufferSpec | WeightSpec)[])[],
): ReadonlyMap<string, Value> => new Map(packed.flatMap((flat, i) => [...partsOf(g, flat, groups[i] ?? [])]))

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
