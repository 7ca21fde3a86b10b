/**
 * A convolutional variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114): strided convolutions halve the image
 * until it is 4 pixels high, a linear layer gives mean and log variance, and the decoder is the mirror image. Told what
 * to draw, it has a prior for it (Sohn, Lee, Yan 2015, https://papers.nips.cc/paper/5775): the decoder draws latents alone.
 */
import { add, exp, mul } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { flatten, type Layers, linear, type Maps, unflatten } from '../nn/layers.ts'
import { binaryCrossEntropy, type Gaussian, gaussianKl } from '../nn/losses.ts'
import { doubled, halved, smallest } from '../nn/pyramid.ts'

export interface VaeConfig {
  readonly channels: number
  /** A power of two times 4. */
  readonly height: number
  readonly width: number
  readonly latents: number
  /** Channels after each halving. */
  readonly hidden: readonly number[]
  /** Numbers that say what to draw; none by default. */
  readonly condition?: number | undefined
}

const PRIOR_WIDTH = 128

/** images → mean and log variance, [images, latents] each */
export function encode(layers: Layers, config: VaeConfig, images: Maps): Gaussian {
  const { g } = layers
  const maps = halved(layers, 'encoder', images, config.hidden)
  return gaussian(
    g,
    linear(layers, 'encoder.out', flatten(layers, maps), 2 * config.latents, { from: smallest(config) }),
  )
}

/** [n, 2 · latents] cut in two. */
function gaussian(g: GraphBuilder, both: Value): Gaussian {
  const [mean, logVariance] = g.op('Split', [both], { axis: 1, num_outputs: 2 })
  if (!logVariance) throw new TypeError('Split gave one part')
  return { mean, logVariance }
}

/**
 * condition [n, condition] → mean and log variance of the latents to draw for it, [n, latents] each. Without biases, so
 * that a condition of zeros, which is no condition, has N(0, 1).
 */
export function prior(layers: Layers, { latents }: VaeConfig, condition: Value): Gaussian {
  const { g } = layers
  const [features] = g.op('Relu', [linear(layers, 'prior.0', condition, PRIOR_WIDTH, { bias: false })], {})
  return gaussian(g, linear(layers, 'prior.out', features, 2 * latents, { bias: false }))
}

/** latents [images, latents] → logits of the pixels */
export function decode(layers: Layers, config: VaeConfig, latents: Value): Maps {
  const { g } = layers
  const small = smallest(config)
  const features = small.channels * small.height * small.width
  const first = linear(layers, 'decoder.in', latents, features, { into: small })
  const maps = unflatten(layers, g.op('Relu', [first], {})[0], small)
  return doubled(layers, 'decoder', maps, [...config.hidden.slice(0, -1).reverse(), config.channels])
}

/** mean + exp(½ log variance) · noise, with noise [images, latents] from N(0, 1) */
export function reparameterize({ g }: Layers, { mean, logVariance }: Gaussian, noise: Value): Value {
  return add(g, mean, mul(g, exp(g, mul(g, logVariance, 0.5)), noise))
}

/**
 * The negative evidence lower bound in nats per image with Bernoulli pixels: reconstruction + beta · KL (Higgins et al.
 * 2017), to the condition's prior if there is one. images in [0, 1]; noise [images, latents]; condition [images, condition].
 */
export function vaeLoss(
  layers: Layers,
  config: VaeConfig,
  images: Maps,
  { noise, beta, condition }: { noise: Value; beta: number; condition?: Value | undefined },
) {
  const { g } = layers
  const posterior = encode(layers, config, images)
  const logits = decode(layers, config, reparameterize(layers, posterior, noise))
  const reconstruction = binaryCrossEntropy(g, logits.value, images.value, Number(images.images))
  const kl = gaussianKl(g, posterior, condition && prior(layers, config, condition))
  return { loss: add(g, reconstruction, beta === 1 ? kl : mul(g, kl, beta)), reconstruction, kl }
}
