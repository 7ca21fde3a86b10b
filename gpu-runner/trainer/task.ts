/** What the trainer needs to know of a kind of model: how it is fed, measured and published. */
import type { ModelParts, TranslationParts } from '#protocol/published-model.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { StepPlan } from './step-builder.ts'
import type { TrainingSession } from './training-session.ts'

export type Metrics = Readonly<Record<string, number>>

/** ONNX files by the part of the model that each is. */
export interface TrainedModel {
  /** The manifest's parts, with the files' hashes. */
  readonly parts: ModelParts | TranslationParts
  readonly files: readonly Uint8Array[]
  /** Of the validation part, or of what it is compared by. */
  readonly metrics: Metrics
  /** What its owner ought to know before they rely on it. */
  readonly warnings?: readonly string[]
}

export interface Task extends Disposable {
  readonly plan: StepPlan
  /** Of a model that goes on from another: sets its weights, in the place of those that are drawn. */
  begin?(session: TrainingSession): void
  /** All of them. */
  readonly steps: number
  /** Steps after which the data has been seen once. */
  readonly stepsPerEpoch: number
  /** The learning rate of a step, from 1. */
  rate(step: number): number
  /** Fills the inputs of a step, the same each time that it is asked for. */
  feed(inputs: Readonly<Record<string, Tensor>>, step: number): void
  /** Measures on the validation part; of several numbers, the first is made small. */
  validate(session: TrainingSession): Metrics
  /** Why what is being learned is of no use, if it is not. */
  collapse?(session: TrainingSession, step: number): string | undefined
  /** Pictures of what the model makes now, of the same things each time. */
  samples?(session: TrainingSession): Samples
  publish(session: TrainingSession, ort: Runtime): TrainedModel
}

/** Images side by side, [rows · height, columns · width, channels], 0 to 255. */
export interface Samples {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly pixels: Uint8Array
}
