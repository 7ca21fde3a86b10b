/**
 * Weights that are learned: what an architecture asks for by name, and gets as a value of the graph that is built, be it
 * a step of training or the trained model.
 */
import { dimsOf, reshape } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import { GraphError } from '../graph/error.ts'
import type { Value } from '../graph/graph.ts'

/** What weights begin with: numbers of one kind, drawn in the order in which the weights are asked for. */
export type Initial =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  /** Between −bound and bound. */
  | { readonly kind: 'uniform'; readonly bound: number }

/** How training keeps a weight: seen in the shape `view`, its axes in the order `perm`, then in the shape `shape`. */
export interface Kept {
  readonly view: readonly number[]
  readonly perm: readonly number[]
  readonly shape: readonly number[]
}

export interface WeightSpec {
  readonly name: string
  /** As checkpoints have it, which is as PyTorch has it. */
  readonly shape: readonly number[]
  readonly initial: Initial
  readonly kept?: Kept | undefined
}

/** What a network keeps beside its weights and computes anew at each step: running statistics. */
export interface BufferSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly initial: Initial
}

/** Gives an architecture its weights, in the form in which they are kept. */
export interface Weights {
  weight(spec: WeightSpec): Value
  buffer(spec: BufferSpec): Value
  /** What a buffer is after the step; of several, the first. A trained model's stay as they are. */
  update(name: string, value: Value): void
}

export const elementsOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

const keptShape = ({ shape, kept }: BufferSpec & { readonly kept?: Kept | undefined }): readonly number[] =>
  kept?.shape ?? shape

export interface Asked {
  readonly weights: readonly WeightSpec[]
  readonly buffers: readonly BufferSpec[]
}

/** What an architecture asks for, in order; what it asks for twice is one. */
export function listWeights(g: GraphBuilder, build: (weights: Weights) => void): Asked {
  const weights = new Map<string, { spec: WeightSpec; value: Value }>()
  const buffers = new Map<string, { spec: BufferSpec; value: Value }>()
  const ask = <S extends BufferSpec>(
    asked: Map<string, { spec: S; value: Value }>,
    spec: S,
    shape: readonly number[],
  ) => {
    const before = asked.get(spec.name)
    if (before) return before.value
    const value = g.input(spec.name, 'float32', shape)
    asked.set(spec.name, { spec, value })
    return value
  }
  build({
    weight: (spec) => ask(weights, spec, keptShape(spec)),
    buffer: (spec) => ask(buffers, spec, spec.shape),
    update: () => undefined,
  })
  const specs = <S>(asked: Map<string, { spec: S }>) => [...asked.values()].map(({ spec }) => spec)
  return { weights: specs(weights), buffers: specs(buffers) }
}

/** Weights that are fed, each as an input of the graph under its own name; `specs` has those that were asked for. */
export function fedWeights(g: Pick<GraphBuilder, 'input'>): { weights: Weights; specs: readonly WeightSpec[] } {
  const asked = new Map<string, Value>()
  const specs: WeightSpec[] = []
  const weight = (spec: WeightSpec) => {
    const value = asked.get(spec.name) ?? g.input(spec.name, 'float32', keptShape(spec))
    if (!asked.has(spec.name)) specs.push(spec)
    asked.set(spec.name, value)
    return value
  }
  return { weights: { weight, buffer: weight, update: () => undefined }, specs }
}

/** Tensors that lie one after the other in a flat one [elements], by name. */
export function partsOf(
  g: GraphBuilder,
  flat: Value,
  specs: readonly (BufferSpec & { readonly kept?: Kept | undefined })[],
): ReadonlyMap<string, Value> {
  const sizes = specs.map(({ shape }) => elementsOf(shape))
  const total = sizes.reduce((a, b) => a + b, 0)
  if (dimsOf(flat)[0] !== total) throw new GraphError(`${flat.name} is not as long as its ${specs.length} parts`)
  const parts = sizes.length === 1 ? [flat] : g.op('Split', [flat, g.integers(sizes)], { axis: 0 })
  return new Map(specs.map((spec, i) => [spec.name, reshape(g, parts[i] as Value, keptShape(spec))]))
}

/** Weights of a trained model, as checkpoints have them; what the graph needs in another form is turned when written. */
export function trainedWeights(g: GraphBuilder, checkpoint: ReadonlyMap<string, Float32Array>): Weights {
  const trained = (spec: BufferSpec, form: (data: Float32Array) => Float32Array, shape: readonly number[]) => {
    const data = checkpoint.get(spec.name)
    if (data?.length !== elementsOf(spec.shape))
      throw new GraphError(`the checkpoint has no ${spec.name} of [${spec.shape}]`)
    return g.shared(spec.name, 'float32', shape, () => form(data))
  }
  return {
    weight: (spec) => trained(spec, (data) => toKept(spec, data), keptShape(spec)),
    buffer: (spec) => trained(spec, (data) => data, spec.shape),
    update: () => undefined,
  }
}

/** A checkpoint's weight in the form in which it is kept. */
export function toKept({ kept }: WeightSpec, data: Float32Array): Float32Array {
  return kept ? permuted(data, kept.view, kept.perm) : data
}

/** A kept weight in the form of checkpoints. */
export function fromKept({ kept }: WeightSpec, data: Float32Array): Float32Array {
  if (!kept) return data.slice()
  const { view, perm } = kept
  const turned = perm.map((axis) => view[axis] ?? 1)
  return permuted(
    data,
    turned,
    perm.map((_, axis) => perm.indexOf(axis)),
  )
}

/** Elements [shape] with the axes in another order. */
function permuted(data: Float32Array, shape: readonly number[], perm: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => elementsOf(shape.slice(axis + 1)))
  const dims = perm.map((axis) => shape[axis] ?? 1)
  const steps = perm.map((axis) => strides[axis] ?? 1)
  const out = new Float32Array(data.length)
  const index: number[] = dims.map(() => 0)
  let from = 0
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] ?? 0
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += steps[axis] ?? 0
      index[axis] = (index[axis] ?? 0) + 1
      if ((index[axis] ?? 0) < (dims[axis] ?? 1)) break
      from -= (dims[axis] ?? 1) * (steps[axis] ?? 0)
      index[axis] = 0
    }
  }
  return out
}
