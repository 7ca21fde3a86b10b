/**
 * Reads the weights that stand in an ONNX file (onnx.proto: `ModelProto.graph`, `GraphProto.initializer`), and nothing else
 * of it: what graph/encode.ts wrote, by name.
 */

/** A file that is not one, or has weights that cannot be read here. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError'
}

export interface OnnxTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly element: 'float32' | 'uint8' | 'int64'
  /** Little-endian, as they stand in the file. */
  readonly bytes: Uint8Array
}

const MODEL_GRAPH = 7
const GRAPH_INITIALIZER = 5
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 } as const
/** Of `TensorProto.DataType`. */
const ELEMENTS: Readonly<Record<number, { name: OnnxTensor['element']; bytes: number }>> = {
  1: { name: 'float32', bytes: 4 },
  2: { name: 'uint8', bytes: 1 },
  7: { name: 'int64', bytes: 8 },
}

interface Field {
  readonly number: number
  /** Of a whole number; NaN for what is none. */
  readonly value: number
  /** Of what has a length; empty for what has none. */
  readonly bytes: Uint8Array
}

/** Views of the file's bytes. @throws OnnxError */
export function onnxInitializers(file: Uint8Array): ReadonlyMap<string, OnnxTensor> {
  const tensors = new Map<string, OnnxTensor>()
  for (const graph of fieldsOf(file)) {
    if (graph.number !== MODEL_GRAPH) continue
    for (const field of fieldsOf(graph.bytes)) {
      if (field.number !== GRAPH_INITIALIZER) continue
      const tensor = readTensor(field.bytes)
      if (tensor) tensors.set(tensor.name, tensor)
    }
  }
  return tensors
}

/** Undefined for one of another type. @throws OnnxError if its bytes are not as many as its shape says */
function readTensor(bytes: Uint8Array): OnnxTensor | undefined {
  const shape: number[] = []
  let [type, name] = [0, '']
  let raw: Uint8Array = new Uint8Array()
  for (const field of fieldsOf(bytes)) {
    if (field.number === TENSOR.dims) shape.push(field.value)
    else if (field.number === TENSOR.type) type = field.value
    else if (field.number === TENSOR.name) name = new TextDecoder().decode(field.bytes)
    else if (field.number === TENSOR.raw) raw = field.bytes
  }
  const element = ELEMENTS[type]
  if (!element) return undefined
  const elements = shape.reduce((a, b) => a * b, 1)
  if (raw.length !== elements * element.bytes) {
    throw new OnnxError(`the weight ${name} has ${raw.length} bytes, not those of [${shape}]`)
  }
  return { name, shape, element: element.name, bytes: raw }
}

/** https://protobuf.dev/programming-guides/encoding/. @throws OnnxError where the bytes are no message */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined || scale > 2 ** 63) throw new OnnxError('it is no ONNX file')
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new OnnxError('it ends in the middle')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const key = varint()
    const [number, wire] = [Math.floor(key / 8), key % 8]
    if (wire === 0) yield { number, value: varint(), bytes: new Uint8Array() }
    else if (wire === 1 || wire === 5) yield { number, value: Number.NaN, bytes: take(wire === 1 ? 8 : 4) }
    else if (wire === 2) yield { number, value: Number.NaN, bytes: take(varint()) }
    else throw new OnnxError(`it has a field of the wire type ${wire}`)
  }
}
