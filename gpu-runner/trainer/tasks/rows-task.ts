/** Training an autoencoder on rows of numbers, to tell which rows are unlike them. */

import type { AutoencoderConfig } from '#models/architectures/autoencoder.ts'
import { rowDecoder, rowEncoder, rowScorer, type Standard } from '#models/architectures/published.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { RowSet } from '../data/data-set.ts'
import { Batches, type Split } from '../data/split.ts'
import { scoresOf } from '../evaluation/scoring.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { autoencoderEvaluation, autoencoderPlan } from '../plans/autoencoder-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import { onnxFile, type WrittenFile } from './onnx-file.ts'
import { thresholdOf } from './threshold.ts'

/** Of the variance; a model that explains less has not learnt how columns go together. */
const LEAST_EXPLAINED = 0.01

export interface RowsTaskOptions {
  readonly hidden: readonly number[]
  readonly latents: number
  /** Deviation of the noise that is added to what the model reads (Vincent et al. 2008); rows have deviation 1. */
  readonly noise: number
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  /** Share of the validation part that may score above the threshold. */
  readonly alarms: number
  readonly seed: number
}

export function rowsTask(ort: Runtime, rows: RowSet, parts: Split, options: RowsTaskOptions): Task {
  const { hidden, latents, noise, batch, epochs, rate, seed } = options
  const columns = rows.columns.length
  const config: AutoencoderConfig = { columns, latents, hidden, output: 'linear' }
  const standard = standardOf(rows, parts.training)
  const standardized = rows.values.map((value, i) => {
    const column = i % columns
    return (value - (standard.mean[column] ?? 0)) / (standard.deviation[column] ?? 1)
  })
  const batches = new Batches(parts.training, batch, seed)
  const steps = epochs * batches.stepsPerEpoch
  const plan = autoencoderPlan(config, { batch })
  const measured = parts.validation.length
  const evaluation = new EvaluationSession(ort, autoencoderEvaluation(config, { batch: measured }, plan))
  const fill = (target: Float32Array, items: Uint32Array) => {
    for (const [i, item] of items.entries()) {
      target.set(standardized.subarray(item * columns, (item + 1) * columns), i * columns)
    }
  }
  const floats = (tensor: { readonly data: unknown } | undefined) => tensor?.data as Float32Array
  for (const input of ['rows', 'clean']) fill(floats(evaluation.inputs[input]), parts.validation)
  const variance = meanSquare(floats(evaluation.inputs.clean))
  /** With the share of the variance that is explained: 0 is what the mean of each column would do. */
  const explained = ({ loss = Number.NaN, ...others }: Metrics): Metrics =>
    variance > 0 ? { loss, explained_variance: 1 - loss / variance, ...others } : { loss, ...others }
  return {
    plan,
    steps,
    stepsPerEpoch: batches.stepsPerEpoch,
    rate: (step) => rateAt({ rate, cosineTo: 0 }, step, steps),
    feed({ rows: read, clean }, step) {
      const [noisy, target] = [floats(read), floats(clean)]
      fill(target, batches.at(step))
      new Random(seed, 4, step).normals(noisy, noise)
      for (let i = 0; i < noisy.length; i++) noisy[i] = (noisy[i] ?? 0) + (target[i] ?? 0)
    },
    validate: (session) => explained(evaluation.run(session)),
    publish(session) {
      const checkpoint = session.weights('autoencoder')
      const [encoder, decoder, scorer] = [rowEncoder, rowDecoder, rowScorer].map((graph) =>
        onnxFile(graph(config, checkpoint, standard)),
      ) as [WrittenFile, WrittenFile, WrittenFile]
      const scores = scoresOf(ort, scorer.bytes, rows, parts.validation)
      const metrics = this.validate(session)
      return {
        parts: {
          family: 'autoencoder',
          input: { kind: 'rows', columns: rows.columns.map(({ name }) => ({ name })) },
          latents,
          encoder: encoder.file,
          decoder: decoder.file,
          scorer: scorer.file,
          ...thresholdOf(scores, options.alarms),
        },
        files: [encoder.bytes, decoder.bytes, scorer.bytes],
        metrics,
        warnings: warningsOf(metrics),
      }
    },
    [Symbol.dispose]: () => evaluation[Symbol.dispose](),
  }
}

const meanSquare = (values: Float32Array): number => values.reduce((sum, x) => sum + x * x, 0) / values.length

function warningsOf({ explained_variance: share }: Metrics): string[] {
  if (share === undefined || share >= LEAST_EXPLAINED) return []
  return [
    `The model has learnt next to nothing: of the variance of rows that it did not train on it explains ${(100 * share).toFixed(1)} %, and the mean of each column alone would explain 0 %. More epochs, a higher learning rate or more rows may help.`,
  ]
}

/** Mean and deviation of each column over the items; a column that never varies has deviation 1. */
function standardOf({ columns, values }: RowSet, items: Uint32Array): Standard {
  const width = columns.length
  const [mean, deviation] = [new Float32Array(width), new Float32Array(width)]
  for (let column = 0; column < width; column++) {
    let [sum, squares] = [0, 0]
    for (const item of items) sum += values[item * width + column] ?? 0
    const centre = sum / items.length
    for (const item of items) squares += ((values[item * width + column] ?? 0) - centre) ** 2
    mean[column] = centre
    deviation[column] = Math.sqrt(squares / items.length) || 1
  }
  return { mean, deviation }
}
