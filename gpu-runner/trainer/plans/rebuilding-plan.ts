/**
 * A step of a network that gives back images: a denoiser, an autoencoder. Inputs: noisy, what it reads, and clean, what it
 * is to give back, rows of pixels [batch · height · width, channels] in [0, 1].
 */
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import type { Layers, Maps } from '#models/nn/layers.ts'
import { meanSquaredError } from '#models/nn/losses.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, type MeasuringPlan, type NetworkPlan, StepBuilder, type StepPlan } from '../step-builder.ts'

/** A network, and the images that it is for. */
export interface Rebuilding extends Pick<Maps, 'channels' | 'height' | 'width'> {
  readonly name: string
  readonly rebuild: (layers: Layers, images: Maps) => Maps
}

const lossOf =
  ({ channels, height, width, rebuild }: Rebuilding, batch: number) =>
  (g: GraphBuilder, weights: Weights, inputs: Inputs) => {
    const [noisy, clean] = ['noisy', 'clean'].map((name) =>
      inputs.input(name, 'float32', [batch * height * width, channels]),
    ) as [Value, Value]
    const maps = { value: noisy, images: batch, channels, height, width }
    return meanSquaredError(g, rebuild({ g, weights, layout: 'rows' }, maps).value, clean)
  }

export function rebuildingPlan(rebuilding: Rebuilding, batch: number): StepPlan {
  const build = lossOf(rebuilding, batch)
  const { name } = rebuilding
  const step = new StepBuilder(name)
  const network = step.network(name, (g, weights) => build(g, weights, g), { optimizer: adam() })
  const loss = build(step.g, network.weights, step)
  step.minimise(network, loss)
  step.metric('loss', loss)
  return step.build()
}

/** The same loss, of a network that stays as it is. */
export function rebuildingEvaluation(rebuilding: Rebuilding, batch: number, { networks }: StepPlan): MeasuringPlan {
  const step = new StepBuilder(`${rebuilding.name}-evaluation`)
  step.metric('loss', lossOf(rebuilding, batch)(step.g, step.trained(networks[0] as NetworkPlan), step))
  return step.build()
}
