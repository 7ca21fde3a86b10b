/**
 * Generative adversarial networks of DCGAN's shape (Radford, Metz, Chintala 2016, arXiv:1511.06434), conditional if asked:
 * the generator reads the condition beside its noise, the critic adds the product of its features with a projection of the
 * condition (Miyato and Koyama 2018, arXiv:1802.05637).
 */
import { add, mul, sum, tanh } from '../graph/arithmetic.ts'
import type { Value } from '../graph/graph.ts'
import { batchNorm } from '../nn/batch-norm.ts'
import {
  conv2d,
  convTranspose2d,
  flatten,
  type Layers,
  leakyRelu,
  linear,
  type Maps,
  relu,
  unflatten,
} from '../nn/layers.ts'
import type { Initial } from '../nn/trainable.ts'

export interface GanConfig {
  readonly channels: number
  /** A power of two times 4. */
  readonly height: number
  readonly width: number
  readonly latents: number
  /** Numbers that say what to make; 0 for none. */
  readonly condition: number
  /** The generator's channels, from the smallest maps on; the critic has them backwards. */
  readonly hidden: readonly number[]
}

const WINDOW = { kernel: 4, stride: 2, pad: 1, bias: false }
const INITIAL: Initial = { kind: 'normal', deviation: 0.02 }
const EMBEDDING = 128
/** Conditions have length 1, and what they become has a deviation of 1, as latents have. */
const EMBEDDING_INITIAL: Initial = { kind: 'normal', deviation: 1 }

const smallest = ({ height, width, hidden }: GanConfig) => ({
  channels: hidden[0] ?? 1,
  height: height / 2 ** hidden.length,
  width: width / 2 ** hidden.length,
})

/** latents [images, latents] and condition [images, condition] → pixels in [−1, 1] */
export function generate(
  layers: Layers,
  config: GanConfig,
  { latents, condition, training }: { latents: Value; condition?: Value | undefined; training: boolean },
): Maps {
  const { g } = layers
  const small = smallest(config)
  const features = small.channels * small.height * small.width
  const [input] = condition
    ? g.op('Concat', [latents, embed(layers, 'generator.condition', condition)], { axis: 1 })
    : [latents]
  const first = linear(layers, 'generator.in', input, features, { into: small, bias: false, initial: INITIAL })
  const normed = (maps: Maps, i: number) => relu(layers, batchNorm(layers, `generator.norm.${i}`, maps, { training }))
  let maps = normed(unflatten(layers, first, small), 0)
  for (const [i, out] of config.hidden.slice(1).entries()) {
    maps = normed(convTranspose2d(layers, `generator.${i}`, maps, { out, ...WINDOW, initial: INITIAL }), i + 1)
  }
  const last = { out: config.channels, ...WINDOW, initial: INITIAL }
  maps = convTranspose2d(layers, 'generator.out', maps, last)
  return { ...maps, value: tanh(g, maps.value) }
}

/** [images, condition] → [images, EMBEDDING]; zeros stay zeros. */
const embed = (layers: Layers, name: string, condition: Value): Value =>
  linear(layers, name, condition, EMBEDDING, { bias: false, initial: EMBEDDING_INITIAL })

export interface CriticOptions {
  readonly condition?: Value | undefined
  /** DCGAN's. */
  readonly batchNorm: boolean
}

export interface Judged {
  /** One for each image, [images, 1]. */
  readonly logit: Value
  /** What was seen on the way: the image, and each layer's maps. */
  readonly features: readonly Value[]
}

/** Judges pixels in [−1, 1]. */
export function criticise(layers: Layers, config: GanConfig, images: Maps, options: CriticOptions): Judged {
  const { g } = layers
  const { condition } = options
  let maps = images
  const seen = [images.value]
  for (const [i, out] of config.hidden.toReversed().entries()) {
    maps = conv2d(layers, `critic.${i}`, maps, { out, ...WINDOW, bias: !options.batchNorm, initial: INITIAL })
    if (i > 0 && options.batchNorm) maps = batchNorm(layers, `critic.norm.${i}`, maps, { training: true })
    maps = leakyRelu(layers, maps)
    seen.push(maps.value)
  }
  const features = flatten(layers, maps)
  const from = smallest(config)
  const logit = linear(layers, 'critic.out', features, 1, { from, bias: false, initial: INITIAL })
  if (!condition) return { logit, features: seen }
  const width = Number(features.shape[1])
  const embedded = embed(layers, 'critic.embedding', condition)
  const projected = linear(layers, 'critic.condition', embedded, width, { into: from, bias: false, initial: INITIAL })
  // As short as the logit: each step of training would turn it round else.
  const told = mul(g, sum(g, mul(g, projected, features), [1]), 1 / Math.sqrt(width))
  return { logit: add(g, logit, told), features: seen }
}
