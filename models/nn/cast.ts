/** Element types that one value is turned into another's of. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { ELEMENTS, type ElementType } from '../graph/tensor-type.ts'

/** x as elements of that type; x itself if they are. */
export function cast(g: GraphBuilder, x: Value, element: ElementType): Value {
  return x.element === element ? x : g.op('Cast', [x], { to: ELEMENTS[element].code })[0]
}
