/** The text that a step reads: ids int64 [batch, length], and next int64 [batch · length], the token after each. */
import { add, mul } from '#models/graph/arithmetic.ts'
import type { GraphBuilder } from '#models/graph/builder.ts'
import type { Value } from '#models/graph/graph.ts'
import type { Inputs } from '../step-builder.ts'

/** ids int64 [lines, length], next int64 [lines · length] */
export interface TextPart {
  readonly ids: Value
  readonly next: Value
}

/** Fewest tokens that are learned from at once: products of matrices are slower with fewer, and more take more memory. */
const TOKENS = 512
/** Most parts: each has its own nodes, and what ONNX Runtime takes to load them grows with their number. */
const PARTS = 4

/** Asks for a batch, in equal parts of few lines. */
export function textParts(
  g: GraphBuilder,
  inputs: Inputs,
  { batch, length }: { batch: number; length: number },
): readonly [TextPart, ...TextPart[]] {
  const ids = inputs.input('ids', 'int64', [batch, length])
  const next = inputs.input('next', 'int64', [batch * length])
  const parts = Math.max(...divisorsOf(batch).filter((n) => n === 1 || (n <= PARTS && (batch / n) * length >= TOKENS)))
  const lines = batch / parts
  if (parts === 1) return [{ ids, next }]
  const cut = (value: Value, size: number) => g.op('Split', [value, g.integers(Array(parts).fill(size))], { axis: 0 })
  const nexts = cut(next, lines * length)
  const [first, ...more] = cut(ids, lines).map((part, i) => ({ ids: part, next: nexts[i] as Value }))
  return [first as TextPart, ...more]
}

const divisorsOf = (n: number): readonly number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((divisor) => n % divisor === 0)

/** The mean of the losses of parts. */
export const meanLoss = (g: GraphBuilder, losses: readonly Value[]): Value =>
  mul(
    g,
    losses.reduce((a, b) => add(g, a, b)),
    1 / losses.length,
  )
