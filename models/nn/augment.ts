/**
 * Differentiable augmentation (Zhao et al. 2020, arXiv:2006.10738): images are moved, cut out and coloured at random before
 * a critic sees them, real ones and made ones alike, so that it cannot learn a small data set by heart.
 */
import { add, dimsOf, matMul, reshape } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { withZeroRow } from './windows.ts'

/** What is fed for a batch of images that lie as rows of pixels. */
export interface Augmentation {
  /** int32 [pixels]: which pixel each one becomes, or `pixels` for zero; each stands in it once at most. */
  readonly source: Value
  /** int32 [pixels]: where each pixel goes, or `pixels` for nowhere. */
  readonly target: Value
  /** [images, channels, channels], which a pixel's channels are multiplied by. */
  readonly colours: Value
  /** [images, 1, 1], which is added to them. */
  readonly brightness: Value
}

/** x [pixels, channels] → the same */
export function augment(g: GraphBuilder, x: Value, { source, target, colours, brightness }: Augmentation): Value {
  const [pixels = 1, channels = 1] = dimsOf(x)
  const [images = 1] = dimsOf(colours)
  const coloured = add(g, matMul(g, reshape(g, x, [images, pixels / images, channels]), colours), brightness)
  const rows = reshape(g, coloured, [pixels, channels])
  const gathered = (from: Value, index: Value) => g.op('Gather', [withZeroRow(g, from), index], {})[0]
  return g.part([rows], () => ({
    outputs: [gathered(rows, source)],
    gradient: ([dy]) => [dy && gathered(dy, target)],
  }))[0]
}
