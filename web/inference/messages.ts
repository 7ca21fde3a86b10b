/** Between the page and the worker that runs models. */
import type { Tensors } from './tensor.ts'

/** `inputs` null: the model is only loaded. */
export interface Asked {
  readonly id: number
  readonly sha256: string
  /** Where its file is. */
  readonly path: string
  readonly inputs: Tensors | null
}

/** One for each `Asked`, by its id. */
export type Told = { readonly id: number; readonly outputs: Tensors } | { readonly id: number; readonly error: string }
