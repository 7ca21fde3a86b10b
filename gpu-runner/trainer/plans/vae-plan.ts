/**
 * A step of a variational autoencoder. Inputs: images, rows of pixels [batch · height · width, channels] in [0, 1]; noise
 * [batch, latents]; with a condition, condition [batch, condition].
 */
import { type VaeConfig, vaeLoss } from '#models/architectures/vae.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, type MeasuringPlan, type NetworkPlan, StepBuilder, type StepPlan } from '../step-builder.ts'

export interface VaePlanOptions {
  readonly batch: number
  /** What the KL counts against the reconstruction. */
  readonly beta: number
}

const lossOf =
  (config: VaeConfig, { batch, beta }: VaePlanOptions) =>
  (g: GraphBuilder, weights: Weights, inputs: Inputs) => {
    const { channels, height, width, latents } = config
    const value = inputs.input('images', 'float32', [batch * height * width, channels])
    const noise = inputs.input('noise', 'float32', [batch, latents])
    const condition = config.condition && inputs.input('condition', 'float32', [batch, config.condition])
    const images = { value, images: batch, channels, height, width }
    return vaeLoss({ g, weights, layout: 'rows' }, config, images, { noise, beta, ...(condition && { condition }) })
  }

export function vaePlan(config: VaeConfig, options: VaePlanOptions): StepPlan {
  const build = lossOf(config, options)
  const step = new StepBuilder('vae')
  const network = step.network('vae', (g, weights) => build(g, weights, g), { optimizer: adam() })
  const losses = build(step.g, network.weights, step)
  step.minimise(network, losses.loss)
  for (const [name, value] of Object.entries(losses)) step.metric(name, value)
  return step.build()
}

/** The same losses, of a network that stays as it is. */
export function vaeEvaluation(config: VaeConfig, options: VaePlanOptions, { networks }: StepPlan): MeasuringPlan {
  const step = new StepBuilder('vae-evaluation')
  const losses = lossOf(config, options)(step.g, step.trained(networks[0] as NetworkPlan), step)
  for (const [name, value] of Object.entries(losses)) step.metric(name, value)
  return step.build()
}
