/** Element types and shapes, as ONNX has them (onnx.proto, `TensorProto.DataType`). */

export const ELEMENTS = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
} as const

export type ElementType = keyof typeof ELEMENTS

/** A length, or the name of one that is known only when the graph runs. */
export type Dim = number | string
export type Shape = readonly Dim[]

export interface TensorType {
  readonly element: ElementType
  readonly shape: Shape
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.element === b.element && a.shape.length === b.shape.length && a.shape.every((dim, i) => dim === b.shape[i])
}

export function formatType({ element, shape }: TensorType): string {
  return `${element}[${shape.join(', ')}]`
}

/** Bytes of a tensor, if no dimension is symbolic. */
export function byteLength({ element, shape }: TensorType): number | undefined {
  let length: number = ELEMENTS[element].bytes
  for (const dim of shape) {
    if (typeof dim === 'string') return undefined
    length *= dim
  }
  return length
}
