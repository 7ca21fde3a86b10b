/** A step of an autoencoder of rows. Inputs: rows, what it reads, and clean, what it is to give back, [batch, columns] each. */
import { type AutoencoderConfig, rebuildRows } from '#models/architectures/autoencoder.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import { meanSquaredError } from '#models/nn/losses.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, type MeasuringPlan, type NetworkPlan, StepBuilder, type StepPlan } from '../step-builder.ts'

interface AutoencoderPlanOptions {
  readonly batch: number
}

const lossOf =
  (config: AutoencoderConfig, { batch }: AutoencoderPlanOptions) =>
  (g: GraphBuilder, weights: Weights, inputs: Inputs) => {
    const rows = inputs.input('rows', 'float32', [batch, config.columns])
    const clean = inputs.input('clean', 'float32', [batch, config.columns])
    return meanSquaredError(g, rebuildRows({ g, weights, layout: 'rows' }, config, rows), clean)
  }

export function autoencoderPlan(config: AutoencoderConfig, options: AutoencoderPlanOptions): StepPlan {
  const build = lossOf(config, options)
  const step = new StepBuilder('autoencoder')
  const network = step.network('autoencoder', (g, weights) => build(g, weights, g), { optimizer: adam() })
  const loss = build(step.g, network.weights, step)
  step.minimise(network, loss)
  step.metric('loss', loss)
  return step.build()
}

/** The same loss, of a network that stays as it is. */
export function autoencoderEvaluation(
  config: AutoencoderConfig,
  options: AutoencoderPlanOptions,
  { networks }: StepPlan,
): MeasuringPlan {
  const step = new StepBuilder('autoencoder-evaluation')
  step.metric('loss', lossOf(config, options)(step.g, step.trained(networks[0] as NetworkPlan), step))
  return step.build()
}
