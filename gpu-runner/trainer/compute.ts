/** Runs a finished model on arrays: what measures and draws with models, where no tensor has to stay in place. */
import type { Runtime } from '../runtime/runtime.ts'

export interface FedArray {
  readonly data: Float32Array
  readonly shape: readonly number[]
}
export type Fed = Readonly<Record<string, FedArray>>
type Shapes<Name extends string> = Readonly<Record<Name, readonly number[]>>

/**
 * @param model an ONNX file's bytes
 * @param batches inputs by name; all of the shapes of the first
 * @param wanted outputs of one batch, with their shapes
 */
export function computeEach<Name extends string>(
  ort: Runtime,
  model: Uint8Array,
  batches: readonly Fed[],
  wanted: Shapes<Name>,
): Record<Name, Float32Array>[] {
  using session = ort.session(model)
  using tensors = new DisposableStack()
  const tensor = (shape: readonly number[]) => tensors.use(ort.tensor('float32', shape))
  const inputs = Object.fromEntries(Object.entries(batches[0] ?? {}).map(([name, { shape }]) => [name, tensor(shape)]))
  const names = Object.keys(wanted) as Name[]
  const outputs = Object.fromEntries(names.map((name) => [name, tensor(wanted[name])]))
  using binding = session.bind(inputs, outputs)
  return batches.map((batch) => {
    for (const [name, input] of Object.entries(inputs)) input.data.set(batch[name]?.data ?? [])
    binding.run()
    const found = names.map((name) => [name, outputs[name]?.data.slice() ?? new Float32Array()] as const)
    return Object.fromEntries(found) as Record<Name, Float32Array>
  })
}

/** The same of one batch. */
export const compute = <Name extends string>(
  ort: Runtime,
  model: Uint8Array,
  inputs: Fed,
  wanted: Shapes<Name>,
): Record<Name, Float32Array> => computeEach(ort, model, [inputs], wanted)[0] as Record<Name, Float32Array>

/** Arrays one after the other. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
