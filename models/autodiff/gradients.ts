/** Reverse-mode differentiation: the backward pass, as more nodes of the same graph. */
import { add, dimsOf, expand, scalar, sizeOf } from '../graph/arithmetic.ts'
import type { GraphBuilder, Part } from '../graph/builder.ts'
import { GraphError } from '../graph/error.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { OpName } from '../graph/ops.ts'
import { type Backward, GRADIENT_RULES, type GradientRule } from './gradient-rules.ts'

/** A node, or a part with a rule of its own. */
type Unit = { readonly inputs: readonly (Value | null)[]; readonly outputs: readonly (Value | null)[] } & (
  | { readonly node: Node }
  | { readonly part: Part }
)

/**
 * Gradients of a loss, a tensor of one element, in the order of `values` and each in its value's shape.
 *
 * @throws GraphError if the loss does not depend on a value, or only through an operator without a gradient
 */
export function gradients(g: GraphBuilder, loss: Value, values: readonly Value[]): readonly Value[] {
  if (sizeOf(loss) !== 1) throw new GraphError(`${loss.name}: a loss has one element, not [${loss.shape}]`)
  const units = unitsOf(g)
  const learned = new Set(values.map(({ name }) => name))
  for (const unit of units) {
    const { inputs, outputs } = unit
    if ('part' in unit && !unit.part.gradient) continue
    if (!inputs.some((input) => input && learned.has(input.name))) continue
    for (const output of outputs) if (output) learned.add(output.name)
  }
  const found = new Map<string, Value>([[loss.name, scalar(g, 1)]])
  for (const unit of units.toReversed()) {
    const given = unit.outputs.map((output) => (output ? found.get(output.name) : undefined))
    const asks = (input: Value | null) => input !== null && learned.has(input.name)
    if (given.every((gradient) => !gradient) || !unit.inputs.some(asks)) continue
    const passed = backward(g, unit, given)
    for (const [i, input] of unit.inputs.entries()) {
      const more = passed[i]
      if (!input || !more || !learned.has(input.name)) continue
      const before = found.get(input.name)
      found.set(input.name, before ? add(g, before, more) : more)
    }
  }
  return values.map((value) => {
    const gradient = found.get(value.name)
    if (!gradient) throw new GraphError(`${loss.name} does not depend on ${value.name}`)
    return expand(g, gradient, dimsOf(value))
  })
}

/** The value itself, which passes no gradient back. */
export function stopGradient(g: GraphBuilder, x: Value): Value {
  return g.part([x], () => ({ outputs: [g.op('Identity', [x], {})[0]], gradient: null }))[0]
}

function unitsOf(g: GraphBuilder): readonly Unit[] {
  const outermost = g.parts.filter((part, i) => !g.parts.some((other, j) => j !== i && holds(other, part, j > i)))
  const starts = new Map(outermost.map((part) => [part.from, part]))
  const units: Unit[] = []
  for (let i = 0; i < g.nodes.length; ) {
    const part = starts.get(i)
    const node = g.nodes[i]
    if (part) units.push({ part, inputs: part.inputs, outputs: part.outputs })
    else if (node) units.push({ node, inputs: node.inputs, outputs: node.outputs })
    i = part ? part.to : i + 1
  }
  return units
}

/** Of two parts of the same nodes, the later one holds the other. */
const holds = (outer: Part, inner: Part, later: boolean): boolean =>
  outer.from <= inner.from && inner.to <= outer.to && (later || outer.to - outer.from > inner.to - inner.from)

function backward(g: GraphBuilder, unit: Unit, given: readonly (Value | undefined)[]) {
  if ('part' in unit) {
    const { part } = unit
    if (!part.gradient) return []
    return part.gradient(
      given.map((gradient, i) => {
        const output = part.outputs[i]
        return gradient && output && expand(g, gradient, dimsOf(output))
      }),
    )
  }
  const { op, inputs, outputs, attributes } = unit.node
  const rule = GRADIENT_RULES[op] as GradientRule<OpName> | null
  if (!rule) throw new GraphError(`${op} → ${outputs[0]?.name}: nothing is learned through it`)
  const isThere = (value: Value | null): value is Value => value !== null
  if (!inputs.every(isThere)) throw new GraphError(`${op}: a gradient needs all of its inputs`)
  const there = outputs.flatMap((output, i) => (output ? [{ output, gradient: given[i] }] : []))
  const node = {
    g,
    inputs,
    outputs: there.map(({ output }) => output),
    gradients: there.map(({ gradient }) => gradient),
    attributes,
    get dy(): Value {
      if (!given[0]) throw new GraphError(`${op} → ${outputs[0]?.name}: only a later output is learned through`)
      return given[0]
    },
  }
  return g.in('gradient', () => rule(node as Backward))
}
