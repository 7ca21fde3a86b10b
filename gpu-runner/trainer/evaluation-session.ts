/** Measures networks that are being trained, as they are, without moving them. */

import { dimsOf } from '#models/graph/arithmetic.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { Runtime, Session } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { MeasuringPlan } from './step-builder.ts'
import type { TrainingSession } from './training-session.ts'

export class EvaluationSession implements Disposable {
  /** What the next run reads, to be filled before it. */
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly #session: Session
  readonly #metrics: Readonly<Record<string, Tensor>>

  constructor(ort: Runtime, plan: MeasuringPlan) {
    this.#session = ort.session(encodeModel(plan.graph))
    this.inputs = Object.fromEntries(plan.inputs.map((value) => [value.name, ort.tensor(value.element, dimsOf(value))]))
    this.#metrics = Object.fromEntries(plan.metrics.map((name) => [name, ort.tensor('float32', [])]))
  }

  /** The plan's metrics, of what `inputs` hold and the networks of a training as they are now. */
  run(training: TrainingSession): Readonly<Record<string, number>> {
    const state = this.#session.inputs.filter((name) => !(name in this.inputs))
    using binding = this.#session.bind(
      { ...this.inputs, ...Object.fromEntries(state.map((name) => [name, training.stateTensor(name)])) },
      Object.fromEntries(Object.entries(this.#metrics).map(([name, tensor]) => [`metric.${name}`, tensor])),
    )
    binding.run()
    return Object.fromEntries(Object.entries(this.#metrics).map(([name, { data }]) => [name, Number(data[0])]))
  }

  [Symbol.dispose](): void {
    for (const tensor of [...Object.values(this.inputs), ...Object.values(this.#metrics)]) tensor[Symbol.dispose]()
    this.#session[Symbol.dispose]()
  }
}
