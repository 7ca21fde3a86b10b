/** What goes into a model and comes out of it. */

/** Float32 values, row by row. */
export interface Tensor {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

/** By the names of a graph's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>

/** A model in memory, ready to run. */
export interface Session {
  /** Null once it is released. @throws Error from the engine, as for inputs that are not the model's */
  run(inputs: Tensors): Promise<Tensors | null>
  /** Gives the memory back. */
  release(): Promise<void>
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
