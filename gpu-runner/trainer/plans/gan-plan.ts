/**
 * A step of an adversarial network: the critic's, then the generator's against the moved critic. Inputs: images, rows of
 * pixels in [−1, 1]; latents [batch, latents]; with a condition, condition [batch, condition].
 */
import { criticise, type GanConfig, generate } from '#models/architectures/gan.ts'
import { stopGradient } from '#models/autodiff/gradients.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { hingeCritic, logisticCritic, logisticGenerator, meanNegative } from '#models/nn/losses.ts'
import { spectralNorm } from '#models/nn/spectral-norm.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, StepBuilder, type StepPlan } from '../step-builder.ts'

export interface GanPlanOptions {
  readonly batch: number
  /** `dcgan`: batch norms and logistic losses. `modern`: spectral norms, hinge losses, and an average of the generator. */
  readonly style: 'dcgan' | 'modern'
}

const STYLES = {
  dcgan: { optimizer: adam({ beta1: 0.5 }), critic: logisticCritic, generator: logisticGenerator },
  modern: { optimizer: adam({ beta1: 0, beta2: 0.9 }), critic: hingeCritic, generator: meanNegative, averaging: 0.999 },
} as const

export function ganPlan(config: GanConfig, { batch, style }: GanPlanOptions): StepPlan {
  const { channels, height, width } = config
  const { optimizer, ...losses } = STYLES[style]
  const imagesIn = (inputs: Inputs) => inputs.input('images', 'float32', [batch * height * width, channels])
  const latentsIn = (inputs: Inputs) => inputs.input('latents', 'float32', [batch, config.latents])
  const conditionIn = (inputs: Inputs) =>
    config.condition > 0 ? inputs.input('condition', 'float32', [batch, config.condition]) : undefined
  const make = (g: GraphBuilder, weights: Weights, latents: Value, condition: Value | undefined) =>
    generate({ g, weights, layout: 'rows' }, config, { latents, condition, training: true }).value
  const judge = (g: GraphBuilder, weights: Weights, condition: Value | undefined) => (value: Value) => {
    const images = { value, images: batch, channels, height, width }
    return criticise({ g, weights, layout: 'rows' }, config, images, { condition, batchNorm: style === 'dcgan' })
  }
  const normed = (g: GraphBuilder, weights: Weights) => (style === 'modern' ? spectralNorm(g, weights) : weights)

  const step = new StepBuilder('gan')
  const { g } = step
  const generator = step.network('generator', (on, weights) => void make(on, weights, latentsIn(on), conditionIn(on)), {
    optimizer,
    ...('averaging' in losses ? { averaging: losses.averaging } : {}),
  })
  const critic = step.network(
    'critic',
    (on, weights) => void judge(on, normed(on, weights), conditionIn(on))(imagesIn(on)),
    { optimizer },
  )
  const [real, latents, condition] = [imagesIn(step), latentsIn(step), conditionIn(step)]
  const fake = make(g, generator.weights, latents, condition)
  const judges = judge(g, normed(g, critic.weights), condition)
  const criticLoss = losses.critic(g, judges(real), judges(stopGradient(g, fake)))
  const moved = step.minimise(critic, criticLoss)
  const generatorLoss = losses.generator(g, judge(g, normed(g, moved), condition)(fake))
  step.minimise(generator, generatorLoss)
  step.metric('critic', criticLoss)
  step.metric('generator', generatorLoss)
  return step.build()
}
