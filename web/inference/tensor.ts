/** What goes into a model and comes out of it. */

/** Float32 values, row by row. */
export interface Tensor {
  readonly data: Float32Array<ArrayBuffer>
  readonly shape: readonly number[]
}

/** By the names of a graph's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>
