/** Operators that models trained here are made of, and their gradients. Semantics: ONNX operator set 21. */
import { GraphError } from './error.ts'
import { broadcast, dimAt, elementOf, inferConvolution, inferMatMul, inferSlice, known } from './infer.ts'
import { binary, comparison, op, reduction, unary } from './op-spec.ts'

export const TRAINING_OPS = {
  Div: binary,
  Pow: binary,
  Max: binary,
  Min: binary,
  Neg: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Abs: unary,
  Sign: unary,
  Erf: unary,
  Relu: unary,
  Identity: unary,
  Softplus: unary,
  Equal: comparison,
  Greater: comparison,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceSumSquare: reduction,
  LeakyRelu: op({ domain: '', inputs: [1, 1], attributes: { alpha: 'float' }, infer: ([x]) => [known(x)] }),
  /** max(0, min(1, alpha · x + beta)) */
  HardSigmoid: op({
    domain: '',
    inputs: [1, 1],
    attributes: { alpha: 'float', beta: 'float' },
    infer: ([x]) => [known(x)],
  }),
  /** Between two scalars, either of which may be left out. */
  Clip: op({ domain: '', inputs: [1, 3], attributes: {}, infer: ([x]) => [known(x)] }),
  Softmax: op({ domain: '', inputs: [1, 1], attributes: { axis: 'int' }, infer: ([x]) => [known(x)] }),
  LogSoftmax: op({ domain: '', inputs: [1, 1], attributes: { axis: 'int' }, infer: ([x]) => [known(x)] }),
  /** Normalised along the last axis; the mean and one over the deviation are the second and third output. */
  LayerNormalization: op({
    domain: '',
    inputs: [2, 3],
    optionalOutputs: true,
    attributes: { axis: 'int', epsilon: 'float' },
    infer: ([x], { axis }) => {
      const { element, shape } = known(x)
      if (axis !== -1 && axis !== shape.length - 1) throw new GraphError('LayerNormalization: the last axis only')
      const statistics = { element, shape: [...shape.slice(0, -1), 1] }
      return [known(x), statistics, statistics]
    },
  }),
  /**
   * Turns the heads of x [batch, heads, length, headDim] by their positions, at first that of the second input [1]; cos
   * and sin are [positions, headDim / 2]. The elements that turn together are neighbours if `interleaved`.
   */
  RotaryEmbedding: op({
    domain: 'com.microsoft',
    inputs: [4, 4],
    attributes: { interleaved: 'int' },
    infer: ([x, , cos]) => {
      if (dimAt(x, -1) !== 2 * Number(dimAt(cos, -1)))
        throw new GraphError('RotaryEmbedding: the tables are of other heads')
      return [known(x)]
    },
  }),
  /** condition ? a : b */
  Where: op({
    domain: '',
    inputs: [3, 3],
    attributes: {},
    infer: ([condition, a, b]) => [
      {
        element: elementOf(a),
        shape: broadcast(known(condition).shape, broadcast(known(a).shape, known(b).shape)),
      },
    ],
  }),
  /** alpha · A' B' + beta · C, with A' = Aᵀ if transA. */
  Gemm: op({
    domain: '',
    inputs: [2, 3],
    attributes: { transA: 'int?', transB: 'int?', alpha: 'float?', beta: 'float?' },
    infer: ([a, b], { transA = 0, transB = 0 }) => {
      const [rows, inner] = transA ? [dimAt(a, 1), dimAt(a, 0)] : [dimAt(a, 0), dimAt(a, 1)]
      const [meets, columns] = transB ? [dimAt(b, 1), dimAt(b, 0)] : [dimAt(b, 0), dimAt(b, 1)]
      if (inner !== meets) throw new GraphError(`Gemm: ${inner} columns meet ${meets} rows`)
      return [{ element: elementOf(a), shape: [rows, columns] }]
    },
  }),
  /** alpha · A' B' over the leading dimensions, with the last two of A transposed if transA. */
  FusedMatMul: op({
    domain: 'com.microsoft',
    inputs: [2, 2],
    attributes: { transA: 'int?', transB: 'int?', alpha: 'float?' },
    infer: ([a, b], { transA = 0, transB = 0 }) => [inferMatMul('FusedMatMul', known(a), known(b), transA, transB)],
  }),
  Transpose: op({
    domain: '',
    inputs: [1, 1],
    attributes: { perm: 'ints' },
    infer: ([x], { perm }) => [{ element: elementOf(x), shape: perm.map((axis) => dimAt(x, axis)) }],
  }),
  /** Inputs x, starts, ends, axes, steps: all constant. */
  Slice: op({
    domain: '',
    inputs: [4, 5],
    attributes: {},
    infer: ([x, starts, ends, axes, steps]) => [inferSlice(known(x), { starts, ends, axes, steps })],
  }),
  /** Zeros around; the second input has what comes before each axis, then what comes after each. */
  Pad: op({
    domain: '',
    inputs: [2, 2],
    attributes: {},
    infer: ([x, pads]) => {
      const { element, shape } = known(x)
      const around = known(pads).constant
      if (!around) throw new GraphError('Pad: the widths have to be constant')
      return [
        {
          element,
          shape: shape.map((dim, i) => {
            const more = (around[i] ?? 0) + (around[i + shape.length] ?? 0)
            if (more !== 0 && typeof dim !== 'number') throw new GraphError(`Pad: ${dim} is no number of elements`)
            return more === 0 ? dim : Number(dim) + more
          }),
        },
      ]
    },
  }),
  /** To a constant shape. */
  Expand: op({
    domain: '',
    inputs: [2, 2],
    attributes: {},
    infer: ([x, to]) => {
      const shape = known(to).constant
      if (!shape) throw new GraphError('Expand: the shape has to be a constant')
      return [{ element: elementOf(x), shape: broadcast(known(x).shape, shape) }]
    },
  }),
  /** Elements of x, one for each index, found along one axis. */
  GatherElements: op({
    domain: '',
    inputs: [2, 2],
    attributes: { axis: 'int' },
    infer: ([x, indices]) => [{ element: elementOf(x), shape: known(indices).shape }],
  }),
  /** x with updates at the indices along one axis; with `reduction` 'add' they are added. */
  ScatterElements: op({
    domain: '',
    inputs: [3, 3],
    attributes: { axis: 'int', reduction: 'string' },
    infer: ([x]) => [known(x)],
  }),
  /** x [n, in, h, w], w [out, in, kh, kw], b [out]; pads are top, left, bottom, right. */
  Conv: op({
    domain: '',
    inputs: [2, 3],
    attributes: { kernel_shape: 'ints', strides: 'ints', pads: 'ints', dilations: 'ints?' },
    infer: ([x, w], { kernel_shape, strides, pads, dilations }) => {
      if (dimAt(x, 1) !== dimAt(w, 1)) throw new GraphError(`Conv: ${dimAt(x, 1)} channels meet ${dimAt(w, 1)}`)
      const window = kernel_shape.map((length, i) => (length - 1) * (dilations?.[i] ?? 1) + 1)
      const spatial = inferConvolution(known(x), window, strides, pads)
      return [{ element: elementOf(x), shape: [dimAt(x, 0), dimAt(w, 0), ...spatial] }]
    },
  }),
  /** x [n, in, h, w], w [in, out, kh, kw], b [out]: the transpose of Conv. */
  ConvTranspose: op({
    domain: '',
    inputs: [2, 3],
    attributes: { kernel_shape: 'ints', strides: 'ints', pads: 'ints', output_padding: 'ints?' },
    infer: ([x, w], { kernel_shape, strides, pads, output_padding = [0, 0] }) => {
      if (dimAt(x, 1) !== dimAt(w, 0)) throw new GraphError(`ConvTranspose: ${dimAt(x, 1)} meets ${dimAt(w, 0)}`)
      const spatial = [0, 1].map((i) => {
        const around = (pads[i] ?? 0) + (pads[i + 2] ?? 0)
        const whole = (Number(dimAt(x, i + 2)) - 1) * (strides[i] ?? 1) + (kernel_shape[i] ?? 1)
        return whole + (output_padding[i] ?? 0) - around
      })
      return [{ element: elementOf(x), shape: [dimAt(x, 0), dimAt(w, 1), ...spatial] }]
    },
  }),
} as const
