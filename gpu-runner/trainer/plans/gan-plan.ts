/**
 * A step of an adversarial network: the critic's, then the generator's against the moved critic. Inputs: images, rows of
 * pixels in [−1, 1]; latents [batch, latents], with matching CANDIDATES times as many; with a condition, condition
 * [batch, condition]; with augmentation, what models/nn/augment.ts is fed; with matching, told [batch, 1]; if relativistic,
 * noise of deviation 1 in the images' shape.
 */
import { criticise, type GanConfig, generate } from '#models/architectures/gan.ts'
import { stopGradient } from '#models/autodiff/gradients.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import { add, mul } from '#models/graph/arithmetic.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import { type Augmentation, augment } from '#models/nn/augment.ts'
import { logisticCritic, logisticGenerator, perceptual, relativistic, squaredGradient } from '#models/nn/losses.ts'
import { nearestLatents } from '#models/nn/nearest.ts'
import type { Weights } from '#models/nn/trainable.ts'
import { type Inputs, StepBuilder, type StepPlan } from '../step-builder.ts'

/**
 * `dcgan`: batch norms and logistic losses. `relativistic`: each made image is judged against a real one, and the critic
 * has no norms, but is kept from changing much around real images.
 */
export type GanStyle = 'dcgan' | 'relativistic'

export interface GanPlanOptions {
  readonly batch: number
  readonly style: GanStyle
  /** Decay of the average of the generator, which all but `dcgan` keep. */
  readonly averaging?: number
  /** Whether the critic sees images augmented. */
  readonly augmented?: boolean
  /**
   * What it counts that the critic sees in an image what it sees in the real one of the same condition. Of several
   * drawings of a condition it is the one nearest to the real image that is looked at.
   */
  readonly matching?: number
}

/** Drawings of each condition, with matching. */
const CANDIDATES = 4
/** R1's γ: half of it is what the critic's squared gradient at real images counts. What is augmented is steadier itself. */
const STEADINESS = { bare: 5, augmented: 1 }
/** Deviation of the noise that this gradient is seen by. */
const NOISE = 0.1

const OPTIMIZERS = {
  dcgan: adam({ beta1: 0.5 }),
  relativistic: adam({ beta1: 0, beta2: 0.99 }),
}

export function ganPlan(config: GanConfig, options: GanPlanOptions): StepPlan {
  const { batch, style, averaging = 0.999, augmented = false, matching = 0 } = options
  const { channels, height, width } = config
  const optimizer = OPTIMIZERS[style]
  const imagesIn = (inputs: Inputs) => inputs.input('images', 'float32', [batch * height * width, channels])
  const latentsIn = (inputs: Inputs, count = batch) => inputs.input('latents', 'float32', [count, config.latents])
  const conditionIn = (inputs: Inputs) =>
    config.condition > 0 ? inputs.input('condition', 'float32', [batch, config.condition]) : undefined
  const make = (g: GraphBuilder, weights: Weights, latents: Value, condition: Value | undefined) =>
    generate({ g, weights, layout: 'rows' }, config, { latents, condition, training: true }).value
  const judge = (g: GraphBuilder, weights: Weights, condition: Value | undefined) => (value: Value) => {
    const images = { value, images: batch, channels, height, width }
    return criticise({ g, weights, layout: 'rows' }, config, images, { condition, batchNorm: style === 'dcgan' })
  }

  const step = new StepBuilder('gan')
  const { g } = step
  const generator = step.network('generator', (on, weights) => void make(on, weights, latentsIn(on), conditionIn(on)), {
    optimizer,
    ...(style === 'dcgan' ? {} : { averaging }),
  })
  const critic = step.network('critic', (on, weights) => void judge(on, weights, conditionIn(on))(imagesIn(on)), {
    optimizer,
  })
  /** Of the drawings of each condition, the latents of the one that is nearest to its image. */
  const nearest = (all: Value) => {
    const conditions = condition && g.op('Concat', new Array<Value>(CANDIDATES).fill(condition), { axis: 0 })[0]
    const drawn = make(g, generator.weights, all, conditions)
    return stopGradient(g, nearestLatents(g, { latents: all, drawn, images }))
  }
  const lossOfCritic = (found: Value, refused: Value): Value => {
    if (style === 'dcgan') return logisticCritic(g, found, refused)
    const noise = mul(g, step.input('noise', 'float32', [batch * height * width, channels]), NOISE)
    const steadiness = squaredGradient(g, found, judges(add(g, real, noise)).logit, NOISE)
    return add(g, relativistic(g, found, refused), mul(g, steadiness, STEADINESS[augmented ? 'augmented' : 'bare'] / 2))
  }
  const [images, condition] = [imagesIn(step), conditionIn(step)]
  const latents = matching > 0 ? nearest(latentsIn(step, CANDIDATES * batch)) : latentsIn(step)
  const augmentation = augmented ? augmentationIn(step, batch, config) : undefined
  const seen = (value: Value) => (augmentation ? augment(g, value, augmentation) : value)
  const [real, fake] = [seen(images), seen(make(g, generator.weights, latents, condition))]
  const judges = judge(g, critic.weights, condition)
  const judged = judges(real)
  const criticLoss = lossOfCritic(judged.logit, judges(stopGradient(g, fake)).logit)
  const moved = judge(g, step.minimise(critic, criticLoss), condition)
  const { logit, features } = moved(fake)
  const adversarial =
    style === 'dcgan' ? logisticGenerator(g, logit) : relativistic(g, logit, stopGradient(g, moved(real).logit))
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
