/** A step of a denoiser. Inputs: noisy and clean, rows of pixels [batch · height · width, channels] in [0, 1]. */
import { type DenoiserConfig, denoise } from '#models/architectures/denoiser.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { meanSquaredError } from '#models/nn/losses.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, type MeasuringPlan, type NetworkPlan, StepBuilder, type StepPlan } from '../step-builder.ts'

interface DenoiserPlanOptions {
  readonly batch: number
}

const lossOf =
  (config: DenoiserConfig, { batch }: DenoiserPlanOptions) =>
  (g: GraphBuilder, weights: Weights, inputs: Inputs) => {
    const { channels, height, width } = config
    const [noisy, clean] = ['noisy', 'clean'].map((name) =>
      inputs.input(name, 'float32', [batch * height * width, channels]),
    ) as [Value, Value]
    const maps = { value: noisy, images: batch, channels, height, width }
    return meanSquaredError(g, denoise({ g, weights, layout: 'rows' }, config, maps).value, clean)
  }

export function denoiserPlan(config: DenoiserConfig, options: DenoiserPlanOptions): StepPlan {
  const build = lossOf(config, options)
  const step = new StepBuilder('denoiser')
  const network = step.network('denoiser', (g, weights) => build(g, weights, g), { optimizer: adam() })
  const loss = build(step.g, network.weights, step)
  step.minimise(network, loss)
  step.metric('loss', loss)
  return step.build()
}

/** The same loss, of a network that stays as it is. */
export function denoiserEvaluation(
  config: DenoiserConfig,
  options: DenoiserPlanOptions,
  { networks }: StepPlan,
): MeasuringPlan {
  const step = new StepBuilder('denoiser-evaluation')
  step.metric('loss', lossOf(config, options)(step.g, step.trained(networks[0] as NetworkPlan), step))
  return step.build()
}
