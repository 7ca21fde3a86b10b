/** A graph as plain data: what the builder makes, the verifier checks and the encoder writes. */
import type { OpName } from './ops.ts'
import type { TensorType } from './tensor-type.ts'

/** A tensor in a graph, by its name. Every name is written once. */
export interface Value extends TensorType {
  readonly name: string
  /** The elements of a small integer constant, for shape inference. */
  readonly constant?: readonly number[] | undefined
}

export type AttributeValue = number | string | readonly number[]

export interface Node {
  readonly op: OpName
  /** Null: an optional input left out. */
  readonly inputs: readonly (Value | null)[]
  /** Null: an output nobody reads. */
  readonly outputs: readonly (Value | null)[]
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>
}

/** A constant. `data` is called when the graph is written, so that weights need not all be in memory at once. */
export interface Initializer {
  readonly value: Value
  readonly data: () => ArrayBufferView
  /** Initializers of one storage key share their bytes in the external data file, whatever their shapes. */
  readonly storage?: string | undefined
}

export interface Graph {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly initializers: readonly Initializer[]
  /** In an order in which each runs after those it reads. */
  readonly nodes: readonly Node[]
}
