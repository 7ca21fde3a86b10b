/**
 * Layers that learn, in two layouts: `rows` of pixels [images · height · width, channels], in which a CPU trains fastest,
 * and `planes` [images, channels, height, width] for GPUs and for models that are published. Weights have the same names
 * and, in checkpoints, the same shapes as PyTorch's in both.
 */
import { affine, dimsOf, matMul, reshape } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import type { Dim } from '../graph/tensor-type.ts'
import type { Initial, Kept, Weights } from './trainable.ts'
import { convolve, convolveTransposed, windowsAlong } from './windows.ts'

export type Layout = 'rows' | 'planes'

/** What layers are added to. */
export interface Layers {
  readonly g: GraphBuilder
  readonly weights: Weights
  readonly layout: Layout
}

/** Images in the layout of the layers. */
export interface Maps {
  readonly value: Value
  /** A name in a graph that takes any number; rows need to know it. */
  readonly images: Dim
  readonly channels: number
  readonly height: number
  readonly width: number
}

type Size = Pick<Maps, 'channels' | 'height' | 'width'>

export interface ConvOptions {
  readonly out: number
  readonly kernel: number
  readonly stride: number
  readonly pad: number
  readonly bias?: boolean
  /** Uniform within 1 / sqrt(inputs of one output) by default, as PyTorch has it. */
  readonly initial?: Initial
}

const imagesIn = ({ images }: Maps): number => {
  if (typeof images === 'string') throw new TypeError('rows of pixels need a known number of images')
  return images
}

const uniform = (inputs: number): Initial => ({ kind: 'uniform', bound: 1 / Math.sqrt(inputs) })

/** Convolution; weight [out, in, kernel, kernel], bias [out]. */
export function conv2d({ g, weights, layout }: Layers, name: string, maps: Maps, options: ConvOptions): Maps {
  const { out, kernel, stride, pad, bias = true } = options
  const { channels, height, width } = maps
  const inputs = channels * kernel * kernel
  const initial = options.initial ?? uniform(inputs)
  const shape = [out, channels, kernel, kernel]
  const kept: Kept | undefined =
    layout === 'rows' ? { view: shape, perm: [2, 3, 1, 0], shape: [inputs, out] } : undefined
  const w = weights.weight({ name: `${name}.weight`, shape, initial, kept })
  const b = bias ? [weights.weight({ name: `${name}.bias`, shape: [out], initial: uniform(inputs) })] : []
  const size = {
    images: maps.images,
    channels: out,
    height: windowsAlong(height, options),
    width: windowsAlong(width, options),
  }
  if (layout === 'planes') {
    const window = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] }
    return { ...size, value: g.op('Conv', [maps.value, w, ...b], window)[0] }
  }
  const geometry = { images: imagesIn(maps), height, width, kernel, stride, pad }
  return { ...size, value: convolve(g, { x: maps.value, w, b: b[0] }, geometry) }
}

/** Transposed convolution; weight [in, out, kernel, kernel], bias [out]. */
export function convTranspose2d({ g, weights, layout }: Layers, name: string, maps: Maps, options: ConvOptions): Maps {
  const { out, kernel, stride, pad, bias = true } = options
  const { channels } = maps
  const initial = options.initial ?? uniform(out * kernel * kernel)
  const shape = [channels, out, kernel, kernel]
  const kept: Kept | undefined =
    layout === 'rows' ? { view: shape, perm: [2, 3, 1, 0], shape: [kernel * kernel * out, channels] } : undefined
  const w = weights.weight({ name: `${name}.weight`, shape, initial, kept })
  const b = bias
    ? [weights.weight({ name: `${name}.bias`, shape: [out], initial: uniform(out * kernel * kernel) })]
    : []
  const grown = (length: number) => (length - 1) * stride - 2 * pad + kernel
  const size = { images: maps.images, channels: out, height: grown(maps.height), width: grown(maps.width) }
  if (layout === 'planes') {
    const window = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] }
    return { ...size, value: g.op('ConvTranspose', [maps.value, w, ...b], window)[0] }
  }
  const geometry = { images: imagesIn(maps), height: size.height, width: size.width, kernel, stride, pad }
  const value = convolveTransposed(g, { x: maps.value, w }, geometry)
  return { ...size, value: b[0] ? g.op('Add', [value, b[0]], {})[0] : value }
}

export interface LinearOptions {
  readonly bias?: boolean
  readonly initial?: Initial
  /** Flat maps that x was, or that the output will be: their order in a row depends on the layout. */
  readonly from?: Size
  readonly into?: Size
}

/** x [rows, in] → [rows, out]; weight [out, in], bias [out]. */
export function linear(
  { g, weights, layout }: Layers,
  name: string,
  x: Value,
  out: number,
  { bias = true, initial, from, into }: LinearOptions = {},
): Value {
  const inputs = Number(x.shape[1])
  const [outAxes, inAxes] = [axesOf(into ?? out, layout), axesOf(from ?? inputs, layout)]
  const outRank = outAxes.view.length
  const kept = {
    view: [...outAxes.view, ...inAxes.view],
    perm: [...inAxes.perm.map((axis) => axis + outRank), ...outAxes.perm],
    shape: [inputs, out],
  }
  const w = weights.weight({ name: `${name}.weight`, shape: [out, inputs], initial: initial ?? uniform(inputs), kept })
  if (!bias) return matMul(g, x, w)
  const keptBias = { ...outAxes, shape: [out] }
  const b = weights.weight({
    name: `${name}.bias`,
    shape: [out],
    initial: initial?.kind === 'normal' ? ZERO : uniform(inputs),
    kept: keptBias,
  })
  return affine(g, x, w, b)
}

const ZERO: Initial = { kind: 'constant', value: 0 }

function axesOf(size: Size | number, layout: Layout) {
  if (typeof size === 'number') return { view: [size], perm: [0] }
  const { channels, height, width } = size
  return { view: [channels, height, width], perm: layout === 'rows' ? [1, 2, 0] : [0, 1, 2] }
}

/** Maps → [images, features] */
export function flatten({ g, layout }: Layers, { value, images, channels, height, width }: Maps): Value {
  const features = channels * height * width
  return layout === 'rows' && typeof images === 'number'
    ? reshape(g, value, [images, features])
    : g.op('Reshape', [value, g.integers([0, features])], {})[0]
}

/** [images, features] → maps */
export function unflatten({ g, layout }: Layers, x: Value, { channels, height, width }: Size): Maps {
  const images = x.shape[0] ?? 1
  const size = { images, channels, height, width }
  if (layout === 'planes') {
    return { ...size, value: g.op('Reshape', [x, g.integers([0, channels, height, width])], {})[0] }
  }
  const [rows = 1] = dimsOf(x)
  return { ...size, value: reshape(g, x, [rows * height * width, channels]) }
}

/** An operator of one input on each element. */
export function relu({ g }: Layers, maps: Maps): Maps {
  return { ...maps, value: g.op('Relu', [maps.value], {})[0] }
}

export function leakyRelu({ g }: Layers, maps: Maps, alpha = 0.2): Maps {
  return { ...maps, value: g.op('LeakyRelu', [maps.value], { alpha })[0] }
}
