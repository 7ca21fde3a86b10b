/**
 * Builds a graph node by node. Each call infers the types of its outputs at once, so a mistake is reported on the line
 * that makes it.
 *
 *   const g = new GraphBuilder('affine')
 *   const x = g.input('x', 'float32', ['batch', 4])
 *   const [y] = g.op('Add', [x, g.weight('bias', 'float32', [4], () => bias)])
 *   g.output(y, 'y')
 */
import { GraphError } from './error.ts'
import type { Graph, Initializer, Node, Value } from './graph.ts'
import { type Attributes, type OpName, opSpec } from './ops.ts'
import { withoutUnused } from './prune.ts'
import type { ElementType, Shape } from './tensor-type.ts'
import { verify } from './verify.ts'

/** Gradients for a part's inputs, given those of its outputs; undefined: none. */
export type PartGradient = (gradients: readonly (Value | undefined)[]) => readonly (Value | undefined)[]

/** Nodes that are differentiated as one, by a rule of their own. */
export interface Part {
  /** The first of its nodes, and the first after them. */
  readonly from: number
  readonly to: number
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Null: nothing is learned through it. */
  readonly gradient: PartGradient | null
}

export class GraphBuilder {
  readonly #name: string
  readonly #inputs: Value[] = []
  /** By the name that a value has while the graph is built. */
  readonly #outputs = new Map<string, Value>()
  readonly #initializers: Initializer[] = []
  readonly #nodes: Node[] = []
  readonly #parts: Part[] = []
  readonly #scope: string[] = []
  readonly #names = new Set<string>()

  constructor(name: string) {
    this.#name = name
  }

  /** So far, in order. */
  get nodes(): readonly Node[] {
    return this.#nodes
  }

  /** So far; one inside another comes before it. */
  get parts(): readonly Part[] {
    return this.#parts
  }

  input(name: string, element: ElementType, shape: Shape): Value {
    const value = { name: this.#take(name), element, shape }
    this.#inputs.push(value)
    return value
  }

  /** Weights, read when the graph is written. */
  weight(name: string, element: ElementType, shape: Shape, data: () => ArrayBufferView, storage?: string): Value {
    const value = { name: this.#take(name), element, shape }
    this.#initializers.push({ value, data, storage })
    return value
  }

  /** A constant that every use of the name has in common. */
  shared(name: string, element: ElementType, shape: Shape, data: () => ArrayBufferView): Value {
    return this.#initializers.find(({ value }) => value.name === name)?.value ?? this.weight(name, element, shape, data)
  }

  /** A small constant of 64-bit integers: a shape, a list of axes. */
  integers(elements: readonly number[]): Value {
    const data = () => BigInt64Array.from(elements, BigInt)
    const value = this.shared(`integers[${elements}]`, 'int64', [elements.length], data)
    return { ...value, constant: elements }
  }

  /** Adds a node and returns its outputs; those whose index is not below `outputs` are left out. */
  op<Op extends OpName>(
    op: Op,
    inputs: readonly (Value | null)[],
    attributes: Attributes<Op>,
  ): readonly [Value, ...Value[]] {
    const spec = opSpec(op)
    const name = this.#take(this.#free([...this.#scope, op].join('/')))
    let types: ReturnType<typeof spec.infer>
    try {
      types = spec.infer(
        inputs.map((input) => input ?? undefined),
        attributes,
      )
    } catch (error) {
      throw error instanceof GraphError ? new GraphError(`${name}: ${error.message}`, { cause: error }) : error
    }
    const outputs = types.map((type, i) => type && { element: type.element, shape: type.shape, name: `${name}:${i}` })
    this.#nodes.push({ op, inputs, outputs: outputs.map((value) => value ?? null), attributes })
    const [first, ...rest] = outputs.filter((value) => value !== undefined)
    if (!first) throw new GraphError(`${name}: no output`)
    return [first, ...rest]
  }

  /** Has `gradient` stand for the gradients of the nodes that `body` adds. */
  part<const T extends readonly [Value, ...Value[]]>(
    inputs: readonly Value[],
    body: () => { readonly outputs: T; readonly gradient: PartGradient | null },
  ): T {
    const from = this.#nodes.length
    const { outputs, gradient } = body()
    this.#parts.push({ from, to: this.#nodes.length, inputs, outputs, gradient })
    return outputs
  }

  /** Names what `body` adds `scope/…`. */
  in<T>(scope: string, body: () => T): T {
    this.#scope.push(scope)
    try {
      return body()
    } finally {
      this.#scope.pop()
    }
  }

  /** Makes a value an output of the graph, under another name. Throws GraphError if it is one already. */
  output(value: Value, name: string): void {
    this.#take(name)
    if (this.#outputs.has(value.name)) throw new GraphError(`${value.name} is an output already`)
    this.#outputs.set(value.name, { ...value, name })
  }

  /** The finished graph, without what no output needs, verified. */
  build(): Graph {
    const named = (value: Value | null) => value && (this.#outputs.get(value.name) ?? value)
    const graph = withoutUnused({
      name: this.#name,
      inputs: this.#inputs,
      outputs: [...this.#outputs.values()],
      initializers: this.#initializers,
      nodes: this.#nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(named),
        outputs: node.outputs.map(named),
      })),
    })
    verify(graph)
    return graph
  }

  #take(name: string): string {
    if (this.#names.has(name)) throw new GraphError(`${name}: the name is taken`)
    this.#names.add(name)
    return name
  }

  /** The name, numbered if it is taken. */
  #free(name: string): string {
    let free = name
    for (let i = 1; this.#names.has(free); i++) free = `${name}.${i}`
    return free
  }
}
