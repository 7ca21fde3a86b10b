/** Convolutions that halve images step by step, and ones that double them again. */
import { conv2d, convTranspose2d, type Layers, type Maps, relu } from './layers.ts'

const WINDOW = { kernel: 4, stride: 2, pad: 1 }

/** What an image is halved to, with the channels after each halving. */
export const smallest = ({ height, width, hidden }: { height: number; width: number; hidden: readonly number[] }) => ({
  channels: hidden.at(-1) ?? 1,
  height: height / 2 ** hidden.length,
  width: width / 2 ** hidden.length,
})

/** @param outs channels after each halving */
export function halved(layers: Layers, name: string, images: Maps, outs: readonly number[]): Maps {
  let maps = images
  for (const [i, out] of outs.entries()) maps = relu(layers, conv2d(layers, `${name}.${i}`, maps, { out, ...WINDOW }))
  return maps
}

/** @param outs channels after each doubling, of which the last is not rectified */
export function doubled(layers: Layers, name: string, small: Maps, outs: readonly number[]): Maps {
  let maps = small
  for (const [i, out] of outs.entries()) {
    maps = convTranspose2d(layers, `${name}.${i}`, maps, { out, ...WINDOW })
    if (i < outs.length - 1) maps = relu(layers, maps)
  }
  return maps
}
