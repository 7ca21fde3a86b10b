/**
 * The one table of operators: domain, arity, attributes and shape inference. The builder's types, the verifier and the
 * encoder all derive from it. Semantics: ONNX operator set 21, and ONNX Runtime's ContribOperators.md for `com.microsoft`.
 */
import { GraphError } from './error.ts'
import {
  broadcast,
  dimAt,
  elementOf,
  inferConcat,
  inferMatMul,
  inferReshape,
  inferSplit,
  known,
  withLastDim,
} from './infer.ts'
import { type AttributeKinds, type AttributesFrom, binary, type OpSpec, op, reduction, unary } from './op-spec.ts'
import { ELEMENTS, type ElementType } from './tensor-type.ts'
import { TRAINING_OPS } from './training-ops.ts'

export const OPS = {
  ...TRAINING_OPS,
  Add: binary,
  Mul: binary,
  Sub: binary,
  Sum: op({
    domain: '',
    inputs: [1, 8],
    attributes: {},
    infer: (addends) => [
      addends.map(known).reduce((a, b) => ({ element: a.element, shape: broadcast(a.shape, b.shape) })),
    ],
  }),
  Sigmoid: unary,
  Tanh: unary,
  /** x · Φ(x); `approximate` is 'none' or 'tanh'. */
  Gelu: op({ domain: '', inputs: [1, 1], attributes: { approximate: 'string' }, infer: ([x]) => [known(x)] }),
  Cast: op({
    domain: '',
    inputs: [1, 1],
    attributes: { to: 'int' },
    infer: ([x], { to }) => {
      const element = (Object.keys(ELEMENTS) as ElementType[]).find((name) => ELEMENTS[name].code === to)
      if (!element) throw new GraphError(`Cast: no element type has the code ${to}`)
      return [{ element, shape: known(x).shape }]
    },
  }),
  Gather: op({
    domain: '',
    inputs: [2, 2],
    attributes: { axis: 'int?' },
    infer: ([data, indices], { axis = 0 }) => {
      const { shape } = known(data)
      return [
        {
          element: elementOf(data),
          shape: [...shape.slice(0, axis), ...known(indices).shape, ...shape.slice(axis + 1)],
        },
      ]
    },
  }),
  MatMul: op({
    domain: '',
    inputs: [2, 2],
    attributes: {},
    infer: ([a, b]) => [inferMatMul('MatMul', known(a), known(b))],
  }),
  Reshape: op({
    domain: '',
    inputs: [2, 2],
    attributes: { allowzero: 'int?' },
    infer: ([x, to]) => [inferReshape(x, to)],
  }),
  Split: op({
    domain: '',
    inputs: [1, 2],
    attributes: { axis: 'int', num_outputs: 'int?' },
    infer: ([x, sizes], { axis, num_outputs }) => inferSplit(x, sizes, axis, num_outputs),
  }),
  /** Side by side along one axis. */
  Concat: op({
    domain: '',
    inputs: [2, 1_024],
    attributes: { axis: 'int' },
    infer: (inputs, { axis }) => [inferConcat(inputs, axis)],
  }),
  ReduceSum: reduction,
  /**
   * RMSNorm: x / sqrt(mean(x²) + epsilon) · scale; one over that root is the second output. ONNX Runtime registers it in
   * the default domain.
   */
  SimplifiedLayerNormalization: op({
    domain: '',
    inputs: [2, 2],
    optionalOutputs: true,
    attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
    infer: ([x]) => [known(x), { element: 'float32', shape: withLastDim(known(x).shape, 1) }],
  }),
  /** The sum of input and skip, normalised; the sum itself is the fourth output. */
  SkipSimplifiedLayerNormalization: op({
    domain: 'com.microsoft',
    inputs: [3, 4],
    attributes: { epsilon: 'float' },
    infer: ([x]) => [known(x), undefined, undefined, known(x)],
  }),
  /** The sum of input, skip and bias, normalised: inputs input, skip, scale, shift, bias. */
  SkipLayerNormalization: op({
    domain: 'com.microsoft',
    inputs: [4, 5],
    attributes: { epsilon: 'float' },
    infer: ([x]) => [known(x)],
  }),
  /** (x + bias) · Φ(x + bias) */
  BiasGelu: op({ domain: 'com.microsoft', inputs: [2, 2], attributes: {}, infer: ([x]) => [known(x)] }),
  /**
   * Attention of all tokens to all: inputs query, key, value [batch, length, heads · headDim], or key and value
   * [batch, heads, length, headDim]; the biases of the three in one; 1 where a key is to be seen, int32 [batch, length];
   * what is added to the scores; keys and values of before [batch, heads, past, headDim]. Outputs: attention, and with
   * keys of before also all keys and values.
   */
  MultiHeadAttention: op({
    domain: 'com.microsoft',
    inputs: [3, 8],
    attributes: { num_heads: 'int' },
    infer: ([query, , , , , , past]) => {
      if (!past) return [known(query)]
      const present = { element: past.element, shape: [...past.shape.slice(0, 2), 'present', ...past.shape.slice(3)] }
      return [known(query), present, present]
    },
  }),
  /** The greatest elements of each row, in order: inputs x and their number, outputs elements and places, int64. */
  TopK: op({
    domain: '',
    inputs: [2, 2],
    attributes: { axis: 'int', largest: 'int', sorted: 'int' },
    infer: ([x, count], { axis }) => {
      const { element, shape } = known(x)
      const [k] = known(count).constant ?? []
      if (k === undefined) throw new GraphError('TopK: the number has to be constant')
      if (axis !== -1) throw new GraphError('TopK: along the last axis only')
      const taken = withLastDim(shape, k)
      return [
        { element, shape: taken },
        { element: 'int64', shape: taken },
      ]
    },
  }),
  /** x · sigmoid(alpha · x); SiLU for alpha 1. */
  QuickGelu: op({
    domain: 'com.microsoft',
    inputs: [1, 1],
    attributes: { alpha: 'float' },
    infer: ([x]) => [known(x)],
  }),
  /** x · Wᵀ with W [N, K] in blocks of `bits`-bit codes: inputs x, codes, scales, zero points, group index, bias. */
  MatMulNBits: op({
    domain: 'com.microsoft',
    inputs: [3, 6],
    attributes: { K: 'int', N: 'int', bits: 'int', block_size: 'int', accuracy_level: 'int?' },
    infer: ([x, codes, scales], { K, N, bits, block_size }) => {
      if (dimAt(x, -1) !== K) throw new GraphError(`MatMulNBits: ${dimAt(x, -1)} columns, but K is ${K}`)
      const blocks = Math.ceil(K / block_size)
      const want = [N, blocks, (block_size * bits) / 8]
      if (String(known(codes).shape) !== String(want)) {
        throw new GraphError(`MatMulNBits: codes are [${known(codes).shape}], not [${want}]`)
      }
      const entries = known(scales).shape.reduce<number>((n, dim) => n * Number(dim), 1)
      if (entries !== N * blocks) throw new GraphError(`MatMulNBits: ${entries} scales, not ${N * blocks}`)
      return [{ element: elementOf(x), shape: withLastDim(known(x).shape, N) }]
    },
  }),
  /** x / scale, rounded and moved by the zero point: inputs x, scale, zero point. */
  QuantizeLinear: op({
    domain: '',
    inputs: [3, 3],
    attributes: {},
    infer: ([x, , zero]) => [{ element: elementOf(zero), shape: known(x).shape }],
  }),
  /** A product of codes: inputs a, b [K, N], the scale of a, those of b [N], the zero points of a and b [N]. */
  MatMulIntegerToFloat: op({
    domain: 'com.microsoft',
    inputs: [6, 6],
    attributes: {},
    infer: ([a, b, scale]) => [
      { element: elementOf(scale), shape: inferMatMul('MatMulIntegerToFloat', known(a), known(b)).shape },
    ],
  }),
  /** Rows of a table kept in blocks of codes: inputs data, indices, scales, zero points. */
  GatherBlockQuantized: op({
    domain: 'com.microsoft',
    inputs: [3, 4],
    attributes: { bits: 'int', block_size: 'int', gather_axis: 'int', quantize_axis: 'int' },
    infer: ([data, indices, scales], { bits, gather_axis }) => {
      if (gather_axis !== 0) throw new GraphError('GatherBlockQuantized: only rows are gathered here')
      const width = Number(dimAt(data, -1)) * (elementOf(data) === 'uint8' ? 8 / bits : 1)
      return [{ element: elementOf(scales), shape: [...known(indices).shape, width] }]
    },
  }),
  /**
   * Attention of `num_heads` query heads over `kv_num_heads` key-value heads, rotary embedding and KV cache included.
   * Inputs: query (or packed query-key-value), key, value, past key, past value [batch, kvHeads, capacity, headDim],
   * lengths − 1 [batch], greatest total length, cos, sin. Outputs: attention, present key, present value. A token sees
   * the last `local_window_size` tokens, itself included; scores are capped as `softcap` · tanh(score / `softcap`).
   */
  GroupQueryAttention: op({
    domain: 'com.microsoft',
    inputs: [7, 16],
    attributes: {
      num_heads: 'int',
      kv_num_heads: 'int',
      do_rotary: 'int?',
      rotary_interleaved: 'int?',
      scale: 'float?',
      local_window_size: 'int?',
      softcap: 'float?',
    },
    infer: ([query, , , pastKey, pastValue], { num_heads }) => {
      const width = num_heads * Number(dimAt(pastKey, -1))
      return [
        { element: elementOf(query), shape: withLastDim(known(query).shape, width) },
        known(pastKey),
        known(pastValue),
      ]
    },
  }),
} as const

export type OpName = keyof typeof OPS
export type Attributes<Op extends OpName> = AttributesFrom<(typeof OPS)[Op]['attributes']>
/** The table without each operator's own types, for passes that walk any graph. */
export const opSpec = (name: OpName): OpSpec<AttributeKinds> => OPS[name] as unknown as OpSpec<AttributeKinds>
