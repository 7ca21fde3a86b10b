/**
 * Encodes graphs as ONNX files (onnx.proto, IR version 10, operator set 21), their weights beside them as external data.
 * The caller writes the external file: for each entry, in order, zeros up to `offset`, then the bytes.
 */
import { GraphError } from './error.ts'
import type { AttributeValue, Graph, Initializer, Node, Value } from './graph.ts'
import type { AttributeKind } from './op-spec.ts'
import { opSpec } from './ops.ts'
import { ProtobufWriter } from './protobuf.ts'
import { byteLength, ELEMENTS } from './tensor-type.ts'

const IR_VERSION = 10
const OPSET = 21
/** ONNX Runtime maps external data in place if it is aligned; a page serves every system. */
const ALIGNMENT = 4096
/** Constants up to this many bytes stand in the file itself. */
const INLINE_BYTES = 1024
const ATTRIBUTE_TYPES: Record<string, number> = { float: 1, int: 2, string: 3, ints: 7 }

export interface ExternalTensor {
  readonly offset: number
  readonly byteLength: number
  readonly data: () => ArrayBufferView
}

/** The external data file of one graph, or of several that have weights in common: what is of one name is stored once. */
export class ExternalData {
  /** The file's name, as ONNX Runtime will look for it beside the models. */
  readonly location: string
  readonly #tensors = new Map<string, ExternalTensor>()
  #end = 0

  constructor(location: string) {
    this.location = location
  }

  /** The file's contents, by offset. */
  get tensors(): readonly ExternalTensor[] {
    return [...this.#tensors.values()]
  }

  /** Where an initializer stands. Throws GraphError if one of another length has its name. */
  place({ value, data, storage }: Initializer): ExternalTensor {
    const bytes = byteLength(value) ?? 0
    const shared = this.#tensors.get(storage ?? value.name)
    if (shared) {
      if (shared.byteLength !== bytes) throw new GraphError(`${value.name} shares bytes of another length`)
      return shared
    }
    const tensor = { offset: Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT, byteLength: bytes, data }
    this.#end = tensor.offset + bytes
    this.#tensors.set(storage ?? value.name, tensor)
    return tensor
  }
}

/** The ONNX file of one graph; its larger weights are placed in `external`, or stand in the file if there is none. */
export function encodeModel(graph: Graph, external?: ExternalData): Uint8Array {
  const writer = new ProtobufWriter()
    .int(1, IR_VERSION)
    .string(2, 'tandem')
    .message(7, (out) => {
      for (const node of graph.nodes) out.message(1, (message) => encodeNode(message, node))
      out.string(2, graph.name)
      for (const initializer of graph.initializers) {
        out.message(5, (message) => encodeInitializer(message, initializer, external))
      }
      for (const input of graph.inputs) out.message(11, (message) => encodeValue(message, input))
      for (const output of graph.outputs) out.message(12, (message) => encodeValue(message, output))
    })
    .message(8, (opset) => opset.string(1, '').int(2, OPSET))
    .message(8, (opset) => opset.string(1, 'com.microsoft').int(2, 1))
  return writer.finish()
}

function encodeNode(out: ProtobufWriter, node: Node): void {
  const spec = opSpec(node.op)
  for (const input of node.inputs) out.string(1, input?.name ?? '')
  for (const output of node.outputs) out.string(2, output?.name ?? '')
  out.string(3, node.outputs.find((output) => output)?.name ?? node.op).string(4, node.op)
  for (const [name, kind] of Object.entries(spec.attributes)) {
    const value = node.attributes[name]
    if (value !== undefined) out.message(5, (message) => encodeAttribute(message, name, kind, value))
  }
  if (spec.domain) out.string(7, spec.domain)
}

function encodeAttribute(out: ProtobufWriter, name: string, kind: AttributeKind, value: AttributeValue): void {
  out.string(1, name)
  if (typeof value === 'string') out.string(4, value)
  else if (typeof value === 'object') for (const element of value) out.int(8, element)
  else if (kind.startsWith('float')) out.float(2, value)
  else out.int(3, value)
  out.int(20, ATTRIBUTE_TYPES[kind.replace('?', '')] ?? 0)
}

function encodeInitializer(out: ProtobufWriter, initializer: Initializer, external: ExternalData | undefined): void {
  const { value, data } = initializer
  for (const dim of value.shape) out.int(1, Number(dim))
  out.int(2, ELEMENTS[value.element].code).string(8, value.name)
  if (!external || (byteLength(value) ?? 0) <= INLINE_BYTES) {
    const view = data()
    out.bytes(9, new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
    return
  }
  const { offset, byteLength: length } = external.place(initializer)
  const { location } = external
  for (const [key, entry] of Object.entries({ location, offset: String(offset), length: String(length) })) {
    out.message(13, (message) => message.string(1, key).string(2, entry))
  }
  out.int(14, 1)
}

function encodeValue(out: ProtobufWriter, { name, element, shape }: Value): void {
  out.string(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, ELEMENTS[element].code).message(2, (dims) => {
        for (const dim of shape) {
          dims.message(1, (message) => (typeof dim === 'string' ? message.string(2, dim) : message.int(1, dim)))
        }
      }),
    ),
  )
}
