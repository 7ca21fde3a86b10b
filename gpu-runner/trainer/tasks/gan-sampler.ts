/**
 * Draws with a generator that is being trained: with the moving average of its weights, if there is one, and with running
 * statistics that suit these weights. Those kept in training are of the weights as they move, so they are measured anew
 * (as "standing statistics", Brock et al. 2019, arXiv:1809.11096).
 */
import { type GanConfig, generate } from '#models/architectures/gan.ts'
import { type Checkpoint, ganGenerator } from '#models/architectures/published.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { Value } from '#models/graph/graph.ts'
import { MOMENTUM } from '#models/nn/batch-norm.ts'
import { trainedWeights } from '#models/nn/trainable.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { computeEach, type Fed, joined } from '../compute.ts'
import type { TrainingSession } from '../training-session.ts'

/** `latents`, and `condition` if there is one. */
export type Drawn = Fed

const STATISTICS = /\.running_(mean|var)$/

/** The generator's weights as they are published. @param drawn batches of one size that statistics are measured on */
export function generatorCheckpoint(
  ort: Runtime,
  config: GanConfig,
  session: TrainingSession,
  drawn: readonly Drawn[],
): Checkpoint {
  const weights = session.weights('generator', { averaged: true })
  const names = [...weights.keys()].filter((name) => STATISTICS.test(name))
  const sums = new Map(names.map((name) => [name, new Float32Array(weights.get(name)?.length ?? 0)]))
  const [first] = drawn
  if (!first) throw new RangeError('statistics are measured on one batch at least')
  // From zeros, what a step makes of them is a known share of the batch's.
  const model = statisticsOf(config, new Map([...weights, ...sums]), first)
  const shapes = Object.fromEntries([...sums].map(([name, { length }]) => [after(name), [length]]))
  for (const found of computeEach(ort, model, drawn, shapes)) {
    for (const [name, sum] of sums) {
      const moved = found[after(name)]
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (moved?.[i] ?? 0) / MOMENTUM / drawn.length
    }
  }
  return new Map([...weights, ...sums])
}

const after = (name: string) => `next.${name}`

/** A graph from a batch to the running statistics after it. */
function statisticsOf(config: GanConfig, checkpoint: Checkpoint, batch: Drawn): Uint8Array {
  const g = new GraphBuilder('statistics')
  const updates = new Map<string, Value>()
  const weights = { ...trainedWeights(g, checkpoint), update: (name: string, value: Value) => updates.set(name, value) }
  const [latents, condition] = ['latents', 'condition'].map((name) => {
    const fed = batch[name]
    return fed && g.input(name, 'float32', fed.shape)
  })
  if (!latents) throw new TypeError('a generator draws from latents')
  generate({ g, weights, layout: 'rows' }, config, { latents, condition, training: true })
  for (const [name, value] of updates) g.output(value, after(name))
  return encodeModel(g.build())
}

/** @returns [n, channels, height, width] in [0, 1], of all batches one after the other */
export function drawImages(
  ort: Runtime,
  config: GanConfig,
  checkpoint: Checkpoint,
  drawn: readonly Drawn[],
): Float32Array {
  const { channels, height, width } = config
  const images = [drawn[0]?.latents?.shape[0] ?? 0, channels, height, width]
  const found = computeEach(ort, encodeModel(ganGenerator(config, checkpoint)), drawn, { images })
  return joined(found.map((batch) => batch.images))
}
