/**
 * A denoising autoencoder of images (Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294): strided convolutions
 * down, transposed ones up, and what was seen on the way down is added on the way up (Mao, Shen, Yang 2016,
 * arXiv:1603.09056). It gives what has to be added to an image, so that one without noise stays as it is.
 */
import { add } from '../graph/arithmetic.ts'
import { conv2d, convTranspose2d, type Layers, type Maps, relu } from '../nn/layers.ts'

export interface DenoiserConfig {
  readonly channels: number
  /** Both can be halved once less than there are widths. */
  readonly height: number
  readonly width: number
  /** Channels in full size, then after each halving. */
  readonly hidden: readonly number[]
}

const SAME = { kernel: 3, stride: 1, pad: 1 }
const HALF = { kernel: 4, stride: 2, pad: 1 }

/** Noisy images in [0, 1] → images, which may lie a little outside of it. */
export function denoise(layers: Layers, { channels, hidden }: DenoiserConfig, noisy: Maps): Maps {
  const [full = 1, ...smaller] = hidden
  let maps = relu(layers, conv2d(layers, 'encoder.in', noisy, { out: full, ...SAME }))
  const seen = [maps]
  for (const [i, out] of smaller.entries()) {
    maps = relu(layers, conv2d(layers, `encoder.${i}`, maps, { out, ...HALF }))
    seen.push(maps)
  }
  for (let i = smaller.length - 1; i >= 0; i--) {
    const beside = seen[i] as Maps
    const grown = convTranspose2d(layers, `decoder.${i}`, maps, { out: beside.channels, ...HALF })
    maps = relu(layers, { ...grown, value: add(layers.g, grown.value, beside.value) })
  }
  const change = conv2d(layers, 'decoder.out', maps, { out: channels, ...SAME })
  return { ...change, value: add(layers.g, noisy.value, change.value) }
}
