/**
 * Of several drawings of one thing, the one that is nearest to its picture: if that one alone is drawn nearer, the others
 * are free to be pictures of something else of that name. (Implicit maximum likelihood estimation, Li and Malik 2018,
 * arXiv:1809.09087; with conditions, Li et al. 2020, arXiv:2004.03590)
 */
import { dimsOf, div, mul, neg, reshape, sub, sum } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { ELEMENTS } from '../graph/tensor-type.ts'

export interface Candidates {
  /** [candidates · images, width], the first candidate of each image before the second of any. */
  readonly latents: Value
  /** What is drawn from them, [candidates · images · height · width, channels]. */
  readonly drawn: Value
  /** [images · height · width, channels] */
  readonly images: Value
}

/** The latents [images, width] of the drawing of each image that has the least squared distance from it. */
export function nearestLatents(g: GraphBuilder, { latents, drawn, images }: Candidates): Value {
  const [rows = 1, width = 1] = dimsOf(latents)
  const [pixels = 1, channels = 1] = dimsOf(images)
  const count = (dimsOf(drawn)[0] ?? 1) / pixels
  const each = rows / count
  const size = (pixels * channels) / each
  const apart = sub(g, reshape(g, drawn, [count, each, size]), reshape(g, images, [1, each, size]))
  const [distances] = g.op('ReduceSumSquare', [apart, g.integers([2])], { keepdims: 1 })
  const [closeness] = g.op('ReduceMax', [neg(g, distances), g.integers([0])], { keepdims: 1 })
  const [isNearest] = g.op('Equal', [neg(g, distances), closeness], {})
  const [chosen] = g.op('Cast', [isNearest], { to: ELEMENTS.float32.code })
  const total = sum(g, mul(g, reshape(g, latents, [count, each, width]), chosen), [0])
  // Drawings that are equally near are alike: the mean of their latents will do.
  return reshape(g, div(g, total, sum(g, chosen, [0])), [each, width])
}
