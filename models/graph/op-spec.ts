/** What the table of operators says of each: domain, arity, attributes, and how types follow from operands. */
import { broadcast, elementOf, known, type Operand } from './infer.ts'
import type { TensorType } from './tensor-type.ts'

/** What an attribute holds; a question mark makes it optional. */
export type AttributeKind = 'int' | 'float' | 'ints' | 'string' | 'int?' | 'float?' | 'ints?' | 'string?'
export type AttributeKinds = Readonly<Record<string, AttributeKind>>
interface KindTypes {
  int: number
  float: number
  ints: readonly number[]
  string: string
}
type Base<K> = K extends `${infer B}?` ? B : K
type ValueOf<K> = Base<K> extends keyof KindTypes ? KindTypes[Base<K>] : never
export type AttributesFrom<S extends AttributeKinds> = {
  readonly [K in keyof S as S[K] extends `${string}?` ? never : K]: ValueOf<S[K]>
} & { readonly [K in keyof S as S[K] extends `${string}?` ? K : never]?: ValueOf<S[K]> }

/** Input types in the operator's order; an optional input that is left out is undefined. */
export type Operands = readonly (Operand | undefined)[]

export interface OpSpec<S extends AttributeKinds> {
  readonly domain: '' | 'com.microsoft'
  /** Fewest and most inputs. */
  readonly inputs: readonly [number, number]
  /** Whether outputs after the first are left out where nothing reads them. */
  readonly optionalOutputs?: boolean
  readonly attributes: S
  /** Types of the outputs, undefined for one that is not asked for. Throws GraphError on operands that do not fit. */
  readonly infer: (inputs: Operands, attributes: AttributesFrom<S>) => readonly (TensorType | undefined)[]
}
export const op = <const S extends AttributeKinds>(spec: OpSpec<S>): OpSpec<S> => spec

/** One tensor in, one of the same type out. */
export const unary = op({ domain: '', inputs: [1, 1], attributes: {}, infer: ([x]) => [known(x)] })

/** Two tensors that broadcast. */
export const binary = op({
  domain: '',
  inputs: [2, 2],
  attributes: {},
  infer: ([a, b]) => [{ element: elementOf(a), shape: broadcast(known(a).shape, known(b).shape) }],
})

/** Two tensors that broadcast, compared. */
export const comparison = op({
  domain: '',
  inputs: [2, 2],
  attributes: {},
  infer: ([a, b]) => [{ element: 'bool', shape: broadcast(known(a).shape, known(b).shape) }],
})

/** Along the axes that the second input names. */
export const reduction = op({
  domain: '',
  inputs: [2, 2],
  attributes: { keepdims: 'int' },
  infer: ([x, axes], { keepdims }) => {
    const { shape } = known(x)
    const reduced = new Set(known(axes).constant?.map((axis) => (axis < 0 ? axis + shape.length : axis)))
    const kept = keepdims ? shape.map((dim, i) => (reduced.has(i) ? 1 : dim)) : shape.filter((_, i) => !reduced.has(i))
    return [{ element: elementOf(x), shape: kept }]
  },
})
