/** Dead code elimination. */
import type { Graph, Node, Value } from './graph.ts'
import { opSpec } from './ops.ts'

/** The graph without the nodes, optional outputs and initializers that no output depends on. Its inputs stay. */
export function withoutUnused(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name))
  const isNeeded = (value: Value | null) => value !== null && needed.has(value.name)
  const nodes: Node[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some(isNeeded)) continue
    const outputs = node.outputs.map((output, i) => (i === 0 || isNeeded(output) ? output : null))
    nodes.push(opSpec(node.op).optionalOutputs ? { ...node, outputs } : node)
    for (const input of node.inputs) if (input) needed.add(input.name)
  }
  return {
    ...graph,
    nodes: nodes.reverse(),
    initializers: graph.initializers.filter(({ value }) => needed.has(value.name)),
  }
}
