/**
 * An autoencoder of images (as autoencoder.ts of rows): strided convolutions to a few numbers and the mirror image back, or
 * linear layers, which know each pixel's place: they rebuild less of what they never saw, and so tell anomalies better.
 */
import { sigmoid } from '../graph/arithmetic.ts'
import type { Value } from '../graph/graph.ts'
import { flatten, type Layers, linear, type Maps, unflatten } from '../nn/layers.ts'
import { doubled, halved, smallest } from '../nn/pyramid.ts'

export interface ImageAutoencoderConfig {
  readonly channels: number
  /** A power of two times 4. */
  readonly height: number
  readonly width: number
  readonly latents: number
  readonly layers: 'convolutional' | 'dense'
  /** Channels after each halving, or widths of linear layers. */
  readonly hidden: readonly number[]
}

/** images in [0, 1] → [images, latents] */
export function encodeImages(layers: Layers, config: ImageAutoencoderConfig, images: Maps): Value {
  if (config.layers === 'dense') {
    let x = flatten(layers, images)
    for (const [i, width] of config.hidden.entries()) {
      const hidden = linear(layers, `encoder.${i}`, x, width, i === 0 ? { from: images } : {})
      x = layers.g.op('Relu', [hidden], {})[0]
    }
    return linear(layers, 'encoder.out', x, config.latents)
  }
  const features = flatten(layers, halved(layers, 'encoder', images, config.hidden))
  return linear(layers, 'encoder.out', features, config.latents, { from: smallest(config) })
}

/** [images, latents] → images in [0, 1] */
export function decodeImages(layers: Layers, config: ImageAutoencoderConfig, latents: Value): Maps {
  const { g } = layers
  if (config.layers === 'dense') {
    let x = latents
    for (const [i, width] of config.hidden.toReversed().entries()) {
      x = g.op('Relu', [linear(layers, `decoder.${i}`, x, width)], {})[0]
    }
    const pixels = linear(layers, 'decoder.out', x, config.channels * config.height * config.width, { into: config })
    return unflatten(layers, sigmoid(g, pixels), config)
  }
  const small = smallest(config)
  const first = linear(layers, 'decoder.in', latents, small.channels * small.height * small.width, { into: small })
  const outs = [...config.hidden.slice(0, -1).reverse(), config.channels]
  const maps = doubled(layers, 'decoder', unflatten(layers, g.op('Relu', [first], {})[0], small), outs)
  return { ...maps, value: sigmoid(g, maps.value) }
}

export const rebuildImages = (layers: Layers, config: ImageAutoencoderConfig, images: Maps): Maps =>
  decodeImages(layers, config, encodeImages(layers, config, images))
