/** Dropout (Srivastava et al. 2014). What is left out is fed, so that a step that is done again leaves out the same. */
import { mul } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

/** @param kept in x's shape: 0 for what is left out, 1 / (1 − rate) for the rest */
export const dropout = (g: GraphBuilder, x: Value, kept: Value): Value => mul(g, x, kept)
