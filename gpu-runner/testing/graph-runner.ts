/** Runs graphs in tests, on real sessions. */

import { dimsOf } from '#models/graph/arithmetic.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { Graph } from '#models/graph/graph.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'

/** Inputs and outputs of a graph, in place, and a run from the ones to the others. */
export interface RunnableGraph extends Disposable {
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly outputs: Readonly<Record<string, Tensor>>
  run(): void
}

/** A graph whose shapes are all known. */
export function runnable(ort: Runtime, graph: Graph): RunnableGraph {
  const session = ort.session(encodeModel(graph))
  const tensors = (values: Graph['inputs']) =>
    Object.fromEntries(values.map((value) => [value.name, ort.tensor(value.element, dimsOf(value))]))
  const inputs = tensors(graph.inputs)
  const outputs = tensors(graph.outputs)
  const binding = session.bind(inputs, outputs)
  return {
    inputs,
    outputs,
    run: () => binding.run(),
    [Symbol.dispose]() {
      binding[Symbol.dispose]()
      for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor[Symbol.dispose]()
      session[Symbol.dispose]()
    },
  }
}
