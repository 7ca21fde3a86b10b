/**
 * A convolutional variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114): strided convolutions halve the image
 * until it is 4 pixels high, a linear layer gives mean and log variance, and the decoder is the mirror image.
 */
import { add, exp, mul } from '../graph/arithmetic.ts'
import type { Value } from '../graph/graph.ts'
import { conv2d, convTranspose2d, flatten, type Layers, linear, type Maps, relu, unflatten } from '../nn/layers.ts'
import { binaryCrossEntropy, gaussianKl } from '../nn/losses.ts'

export interface VaeConfig {
  readonly channels: number
  /** A power of two times 4. */
  readonly height: number
  readonly width: number
  readonly latents: number
  /** Channels after each halving. */
  readonly hidden: readonly number[]
}

const WINDOW = { kernel: 4, stride: 2, pad: 1 }

/** Halvings of a side until 4 pixels are left. */
const smallest = ({ height, width, hidden }: VaeConfig) => ({
  channels: hidden.at(-1) ?? 1,
  height: height / 2 ** hidden.length,
  width: width / 2 ** hidden.length,
})

/** images → mean and log variance, [images, latents] each */
export function encode(layers: Layers, config: VaeConfig, images: Maps): { mean: Value; logVariance: Value } {
  const { g } = layers
  let maps = images
  for (const [i, out] of config.hidden.entries()) {
    maps = relu(layers, conv2d(layers, `encoder.${i}`, maps, { out, ...WINDOW }))
  }
  const both = linear(layers, 'encoder.out', flatten(layers, maps), 2 * config.latents, { from: smallest(config) })
  const [mean, logVariance] = g.op('Split', [both, g.integers([config.latents, config.latents])], { axis: 1 })
  if (!logVariance) throw new TypeError('Split gave one part')
  return { mean, logVariance }
}

/** latents [images, latents] → logits of the pixels */
export function decode(layers: Layers, config: VaeConfig, latents: Value): Maps {
  const { g } = layers
  const small = smallest(config)
  const features = small.channels * small.height * small.width
  const first = linear(layers, 'decoder.in', latents, features, { into: small })
  let maps = unflatten(layers, g.op('Relu', [first], {})[0], small)
  const outs = [...config.hidden.slice(0, -1).reverse(), config.channels]
  for (const [i, out] of outs.entries()) {
    maps = convTranspose2d(layers, `decoder.${i}`, maps, { out, ...WINDOW })
    if (i < outs.length - 1) maps = relu(layers, maps)
  }
  return maps
}

/** mean + exp(½ log variance) · noise, with noise [images, latents] from N(0, 1) */
export function reparameterize(layers: Layers, mean: Value, logVariance: Value, noise: Value): Value {
  const { g } = layers
  return add(g, mean, mul(g, exp(g, mul(g, logVariance, 0.5)), noise))
}

/**
 * The negative evidence lower bound in nats per image with Bernoulli pixels: reconstruction + beta · KL (Higgins et al.
 * 2017). images in [0, 1]; noise [images, latents].
 */
export function vaeLoss(
  layers: Layers,
  config: VaeConfig,
  images: Maps,
  { noise, beta }: { noise: Value; beta: number },
) {
  const { g } = layers
  const { mean, logVariance } = encode(layers, config, images)
  const logits = decode(layers, config, reparameterize(layers, mean, logVariance, noise))
  const reconstruction = binaryCrossEntropy(g, logits.value, images.value, Number(images.images))
  const kl = gaussianKl(g, mean, logVariance)
  return { loss: add(g, reconstruction, beta === 1 ? kl : mul(g, kl, beta)), reconstruction, kl }
}
