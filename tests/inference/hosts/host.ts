/** Where models run. */

/** By name: values row by row, and their shape. */
export type Tensors = Readonly<Record<string, { readonly data: readonly number[]; readonly shape: readonly number[] }>>

export interface Host extends AsyncDisposable {
  readonly name: string
  /** @param model its file's bytes */
  run(model: Uint8Array, inputs: Tensors): Promise<Tensors>
}
