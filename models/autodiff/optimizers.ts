/**
 * Optimisers, as nodes on flat tensors, in which small weights lie together. What changes from step to step comes in as
 * scalars that the host computes.
 */
import { add, div, mul, scalar, sqrt, sub, sumOfSquares } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

/** What a step does to weights; `state` and `scalars` name what it needs beside them. */
export interface Optimizer {
  /** Tensors as long as the weights, zero at first. */
  readonly state: readonly string[]
  /** The scalars of the step `step` (from 1) at a learning rate. */
  scalars(step: number, rate: number): Readonly<Record<string, number>>
  /** New weights and state, in the order of `state`. */
  update(g: GraphBuilder, at: UpdateInputs): { readonly weights: Value; readonly state: readonly Value[] }
}

export interface UpdateInputs {
  readonly weights: Value
  readonly gradient: Value
  readonly state: Readonly<Record<string, Value>>
  readonly scalars: Readonly<Record<string, Value>>
}

const the = (values: Readonly<Record<string, Value>>, name: string): Value => {
  const value = values[name]
  if (!value) throw new TypeError(`an optimiser lacks ${name}`)
  return value
}

export interface SgdOptions {
  readonly momentum?: number
  readonly nesterov?: boolean
}

/** Gradient descent with momentum, as PyTorch has it (Sutskever et al. 2013). */
export function sgd({ momentum = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  return {
    state: momentum === 0 ? [] : ['velocity'],
    scalars: (_, rate) => ({ rate }),
    update(g, { weights, gradient, state, scalars }) {
      const rate = the(scalars, 'rate')
      if (momentum === 0) return { weights: sub(g, weights, mul(g, gradient, rate)), state: [] }
      const velocity = add(g, mul(g, the(state, 'velocity'), momentum), gradient)
      const along = nesterov ? add(g, gradient, mul(g, velocity, momentum)) : velocity
      return { weights: sub(g, weights, mul(g, along, rate)), state: [velocity] }
    },
  }
}

export interface AdamOptions {
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
  /** Decoupled, as AdamW has it (Loshchilov and Hutter 2019, arXiv:1711.05101). */
  readonly weightDecay?: number
}

/**
 * Adam (Kingma and Ba 2015, arXiv:1412.6980). The moments are kept without their factors 1 − β, which the rate makes up
 * for, so that each costs one product less.
 */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamOptions = {}): Optimizer {
  return {
    state: ['first', 'second'],
    scalars(step, rate) {
      const root = Math.sqrt((1 - beta2 ** step) / (1 - beta2))
      return {
        rate: (rate * root * (1 - beta1)) / (1 - beta1 ** step),
        epsilon: epsilon * root,
        ...(weightDecay === 0 ? {} : { keep: 1 - rate * weightDecay }),
      }
    },
    update(g, { weights, gradient, state, scalars }) {
      const first = add(g, mul(g, the(state, 'first'), beta1), gradient)
      const second = add(g, mul(g, the(state, 'second'), beta2), mul(g, gradient, gradient))
      const along = div(g, first, add(g, sqrt(g, second), the(scalars, 'epsilon')))
      const kept = weightDecay === 0 ? weights : mul(g, weights, the(scalars, 'keep'))
      return { weights: sub(g, kept, mul(g, along, the(scalars, 'rate'))), state: [first, second] }
    },
  }
}

/** Gradients shortened to a norm of `most`, all together, if it is longer; and the norm before, []. As PyTorch's clip_grad_norm_. */
export function clipNorm(g: GraphBuilder, gradients: readonly Value[], most: number) {
  const squares = gradients.map((gradient) => sumOfSquares(g, gradient))
  const norm = sqrt(
    g,
    squares.reduce((a, b) => add(g, a, b)),
  )
  const [factor] = g.op('Min', [div(g, most, add(g, norm, 1e-6)), scalar(g, 1)], {})
  return { gradients: gradients.map((gradient) => mul(g, gradient, factor)), norm }
}

/** The moving average of weights: decay · average + (1 − decay) · weights. */
export const movingAverage = (g: GraphBuilder, average: Value, weights: Value, decay: number): Value =>
  add(g, mul(g, average, decay), mul(g, weights, 1 - decay))
