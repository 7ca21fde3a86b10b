/** Gradients of convolutions over planes, by convolutions (Dumoulin and Visin 2016, arXiv:1603.07285). */
import { dimsOf, reshape, sum, transpose } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import { GraphError } from '../graph/error.ts'
import type { Value } from '../graph/graph.ts'
import type { Attributes } from '../graph/ops.ts'

type Window = Pick<Attributes<'Conv'>, 'kernel_shape' | 'strides' | 'pads'>

/** Of x [n, in, h, w], w [out, in, kh, kw] and b [out], from dy [n, out, h', w']. */
export function convGradient(
  g: GraphBuilder,
  [x, w, b]: readonly Value[],
  dy: Value,
  { kernel_shape, strides, pads, dilations }: Attributes<'Conv'>,
): readonly (Value | undefined)[] {
  if (!x || !w) throw new GraphError('Conv: an operand is missing')
  if (dilations?.some((dilation) => dilation !== 1)) throw new GraphError('Conv: a gradient is for dense windows')
  const window = { kernel_shape, strides, pads }
  return [transposed(g, dy, w, { ...window, into: dimsOf(x) }), weightGradient(g, x, dy, window), b && biasOf(g, dy)]
}

/** Of x [n, in, h, w], w [in, out, kh, kw] and b [out], from dy [n, out, h', w']. */
export function convTransposeGradient(
  g: GraphBuilder,
  [x, w, b]: readonly Value[],
  dy: Value,
  { kernel_shape, strides, pads }: Attributes<'ConvTranspose'>,
): readonly (Value | undefined)[] {
  if (!x || !w) throw new GraphError('ConvTranspose: an operand is missing')
  const window = { kernel_shape, strides, pads }
  return [crop(g, g.op('Conv', [dy, w], window)[0], dimsOf(x)), weightGradient(g, dy, x, window), b && biasOf(g, dy)]
}

/** What a convolution to `dy` passes back to its input, of the shape `into`. */
function transposed(
  g: GraphBuilder,
  dy: Value,
  w: Value,
  { kernel_shape, strides, pads, into }: Window & { into: readonly number[] },
): Value {
  const output_padding = [0, 1].map((i) => {
    const reached = (Number(dy.shape[i + 2]) - 1) * (strides[i] ?? 1) + (kernel_shape[i] ?? 1)
    return (into[i + 2] ?? 0) - (reached - (pads[i] ?? 0) - (pads[i + 2] ?? 0))
  })
  return g.op('ConvTranspose', [dy, w], { kernel_shape, strides, pads, output_padding })[0]
}

/** [out, in, kh, kw]: x and dy, turned so that images are channels, and dy spread by the stride. */
function weightGradient(g: GraphBuilder, x: Value, dy: Value, { kernel_shape, strides, pads }: Window): Value {
  const [images, turned] = [transpose(g, x, [1, 0, 2, 3]), transpose(g, dy, [1, 0, 2, 3])]
  const [conv] = g.op('Conv', [images, turned], {
    kernel_shape: dimsOf(turned).slice(2),
    strides: [1, 1],
    pads,
    dilations: strides,
  })
  const [channels = 1, out = 1] = dimsOf(conv)
  return transpose(g, crop(g, conv, [channels, out, ...kernel_shape]), [1, 0, 2, 3])
}

/** The upper left part. */
function crop(g: GraphBuilder, x: Value, shape: readonly number[]): Value {
  if (dimsOf(x).every((dim, i) => dim === shape[i])) return x
  const axes = g.integers(shape.map((_, i) => i))
  return g.op('Slice', [x, g.integers(shape.map(() => 0)), g.integers(shape), axes], {})[0]
}

const biasOf = (g: GraphBuilder, dy: Value): Value => reshape(g, sum(g, dy, [0, 2, 3]), [Number(dy.shape[1])])
