/**
 * A step of an adversarial network: the critic's, then the generator's against the moved critic. Inputs: images, rows of
 * pixels in [−1, 1]; latents [batch, latents]; with a condition, condition [batch, condition]; with augmentation, what
 * models/nn/augment.ts is fed; with matching, told [batch, 1].
 */
import { criticise, type GanConfig, generate } from '#models/architectures/gan.ts'
import { stopGradient } from '#models/autodiff/gradients.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import { add, mul } from '#models/graph/arithmetic.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { type Augmentation, augment } from '#models/nn/augment.ts'
import { hingeCritic, logisticCritic, logisticGenerator, meanNegative, perceptual } from '#models/nn/losses.ts'
import { spectralNorm } from '#models/nn/spectral-norm.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, StepBuilder, type StepPlan } from '../step-builder.ts'

export interface GanPlanOptions {
  readonly batch: number
  /** `dcgan`: batch norms and logistic losses. `modern`: spectral norms, hinge losses, and an average of the generator. */
  readonly style: 'dcgan' | 'modern'
  /** Whether the critic sees images augmented. */
  readonly augmented?: boolean
  /** What it counts that the critic sees in an image what it sees in the real one of the same condition. */
  readonly matching?: number
}

const STYLES = {
  dcgan: { optimizer: adam({ beta1: 0.5 }), critic: logisticCritic, generator: logisticGenerator },
  modern: { optimizer: adam({ beta1: 0, beta2: 0.9 }), critic: hingeCritic, generator: meanNegative, averaging: 0.999 },
} as const

export function ganPlan(config: GanConfig, options: GanPlanOptions): StepPlan {
  const { batch, style, augmented = false, matching = 0 } = options
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
  const [images, latents, condition] = [imagesIn(step), latentsIn(step), conditionIn(step)]
  const augmentation = augmented ? augmentationIn(step, batch, config) : undefined
  const seen = (value: Value) => (augmentation ? augment(g, value, augmentation) : value)
  const [real, fake] = [seen(images), seen(make(g, generator.weights, latents, condition))]
  const judges = judge(g, normed(g, critic.weights), condition)
  const judged = judges(real)
  const criticLoss = losses.critic(g, judged.logit, judges(stopGradient(g, fake)).logit)
  const moved = step.minimise(critic, criticLoss)
  const { logit, features } = judge(g, normed(g, moved), condition)(fake)
  const adversarial = losses.generator(g, logit)
  step.metric('critic', criticLoss)
  step.metric('generator', adversarial)
  if (matching > 0) {
    const told = step.input('told', 'float32', [batch, 1])
    const apart = perceptual(
      g,
      features,
      judged.features.map((value) => stopGradient(g, value)),
      told,
    )
    step.metric('matching', apart)
    step.minimise(generator, add(g, adversarial, mul(g, apart, matching)))
  } else step.minimise(generator, adversarial)
  return step.build()
}

function augmentationIn(step: StepBuilder, batch: number, { channels, height, width }: GanConfig): Augmentation {
  const pixels = batch * height * width
  return {
    source: step.input('augment.source', 'int32', [pixels]),
    target: step.input('augment.target', 'int32', [pixels]),
    colours: step.input('augment.colours', 'float32', [batch, channels, channels]),
    brightness: step.input('augment.brightness', 'float32', [batch, 1, 1]),
  }
}
