/** What a legal graph is: a list of rules, each giving the faults it finds. Run after building and after each pass. */
import { GraphError } from './error.ts'
import type { Graph, Node } from './graph.ts'
import type { AttributeKind } from './op-spec.ts'
import { opSpec } from './ops.ts'
import { byteLength, formatType, sameType, type TensorType } from './tensor-type.ts'

type Rule = (graph: Graph) => Iterable<string>

const label = (node: Node) => `${node.op} → ${node.outputs.find((output) => output)?.name ?? '?'}`

/** Every name is written once, and read only after that. */
function* definedOnceAndBeforeUse({ inputs, initializers, nodes, outputs }: Graph): Iterable<string> {
  const defined = new Set<string>()
  const define = function* (name: string): Iterable<string> {
    if (defined.has(name)) yield `${name} is written twice`
    defined.add(name)
  }
  for (const { name } of inputs) yield* define(name)
  for (const { value } of initializers) yield* define(value.name)
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (input && !defined.has(input.name)) yield `${label(node)} reads ${input.name} before it is written`
    }
    for (const output of node.outputs) if (output) yield* define(output.name)
  }
  for (const { name } of outputs) if (!defined.has(name)) yield `output ${name} is never written`
}

function* arity({ nodes }: Graph): Iterable<string> {
  for (const node of nodes) {
    const [fewest, most] = opSpec(node.op).inputs
    const count = node.inputs.length
    if (count < fewest || count > most) yield `${label(node)} has ${count} inputs, not ${fewest} to ${most}`
  }
}

const holds: Record<string, (value: unknown) => boolean> = {
  int: (value) => Number.isSafeInteger(value),
  float: (value) => typeof value === 'number' && !Number.isNaN(value),
  ints: (value) => Array.isArray(value) && value.every(Number.isSafeInteger),
  string: (value) => typeof value === 'string',
}
const fits = (kind: AttributeKind, value: unknown) =>
  value === undefined ? kind.endsWith('?') : (holds[kind.replace('?', '')]?.(value) ?? false)

function* attributes({ nodes }: Graph): Iterable<string> {
  for (const node of nodes) {
    const kinds = opSpec(node.op).attributes
    for (const name of Object.keys(node.attributes)) {
      if (!(name in kinds)) yield `${label(node)} has no attribute ${name}`
    }
    for (const [name, kind] of Object.entries(kinds)) {
      const value = node.attributes[name]
      if (!fits(kind, value)) yield `${label(node)}: ${name} has to be ${kind}, not ${JSON.stringify(value)}`
    }
  }
}

/** The types of a node's outputs, or why it has none. */
function infer(node: Node): readonly (TensorType | undefined)[] | string {
  const operands = node.inputs.map((input) => input ?? undefined)
  try {
    return opSpec(node.op).infer(operands, node.attributes as Readonly<Record<string, never>>)
  } catch (error) {
    if (error instanceof GraphError) return error.message
    throw error
  }
}

/** The types written down are those that the operators give. */
function* types({ nodes }: Graph): Iterable<string> {
  for (const node of nodes) {
    const inferred = infer(node)
    if (typeof inferred === 'string') {
      yield `${label(node)}: ${inferred}`
      continue
    }
    for (const [i, output] of node.outputs.entries()) {
      const type = inferred[i]
      if (!output) continue
      if (!type) yield `${label(node)} has no output ${i}`
      else if (!sameType(type, output)) yield `${output.name} is ${formatType(type)}, not ${formatType(output)}`
    }
  }
}

function* fixedInitializers({ initializers }: Graph): Iterable<string> {
  for (const { value } of initializers) {
    if (byteLength(value) === undefined) yield `constant ${value.name} has a symbolic dimension`
  }
}

const RULES: readonly Rule[] = [definedOnceAndBeforeUse, arity, attributes, types, fixedInitializers]

/** Throws GraphError naming every fault found. */
export function verify(graph: Graph): void {
  const faults = RULES.flatMap((rule) => [...rule(graph)])
  if (faults.length > 0) throw new GraphError(`graph ${graph.name}: ${faults.join('; ')}`)
}
