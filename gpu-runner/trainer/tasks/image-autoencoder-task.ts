/** Training an autoencoder on images, to tell which images are unlike them. */
import { type ImageAutoencoderConfig, rebuildImages } from '#models/architectures/image-autoencoder.ts'
import { type Checkpoint, imageDecoder, imageEncoder, imageScorer } from '#models/architectures/published.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { Layers, Maps } from '#models/nn/layers.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { compute, joined } from '../compute.ts'
import type { ImageSet } from '../data/data-set.ts'
import { Batches, type Split } from '../data/split.ts'
import { scoresOf } from '../evaluation/scoring.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { rebuildingEvaluation, rebuildingPlan } from '../plans/rebuilding-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import { onnxFile } from './onnx-file.ts'
import { fillImages, planesOf } from './pixels.ts'
import { sheet } from './sheet.ts'
import { thresholdOf } from './threshold.ts'

export interface ImageAutoencoderTaskOptions {
  readonly layers: ImageAutoencoderConfig['layers']
  readonly hidden: readonly number[]
  readonly latents: number
  /** Deviation of the noise that is added to what the model reads, of pixels in [0, 1]. */
  readonly noise: number
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  /** Share of the validation part that may score above the threshold. */
  readonly alarms: number
  readonly seed: number
}

const SHEET_COLUMNS = 16
/** Samples of the training part that usual errors are measured on, at most. */
const MEASURED = 2 ** 22
/** Of the mean error, which is added to that of each sample. */
const LEAST_USUAL = 0.1

export function imageAutoencoderTask(
  ort: Runtime,
  images: ImageSet,
  parts: Split,
  options: ImageAutoencoderTaskOptions,
): Task {
  const { hidden, latents, noise, batch, epochs, rate, alarms, seed } = options
  const { channels, height, width } = images
  const config: ImageAutoencoderConfig = { channels, height, width, latents, layers: options.layers, hidden }
  const network = {
    name: 'autoencoder',
    channels,
    height,
    width,
    rebuild: (layers: Layers, maps: Maps) => rebuildImages(layers, config, maps),
  }
  const batches = new Batches(parts.training, batch, seed)
  const steps = epochs * batches.stepsPerEpoch
  const plan = rebuildingPlan(network, batch)
  const measured = Math.min(batch, parts.validation.length)
  const evaluation = new EvaluationSession(ort, rebuildingEvaluation(network, measured, plan))
  /** What each sample's squared error is by and large, in the training part; where it hardly ever is any, still some. */
  const usualErrors = (checkpoint: Checkpoint): Float32Array => {
    const items = parts.training.subarray(0, Math.floor(MEASURED / (channels * height * width)))
    const shape = [items.length, channels, height, width]
    const fed = { images: { data: planesOf(images, items), shape } }
    const scorer = encodeModel(imageScorer(config, checkpoint))
    const { errors } = compute(ort, scorer, fed, { scores: [items.length], errors: shape })
    const usual = new Float32Array(channels * height * width)
    for (const [i, error] of errors.entries()) {
      const at = i % usual.length
      usual[at] = (usual[at] ?? 0) + error / items.length
    }
    const mean = usual.reduce((a, b) => a + b, 0) / usual.length
    return usual.map((error) => error + LEAST_USUAL * mean)
  }
  const floats = (tensor: { readonly data: unknown } | undefined) => tensor?.data as Float32Array
  return {
    plan,
    steps,
    stepsPerEpoch: batches.stepsPerEpoch,
    rate: (step) => rateAt({ rate, cosineTo: 0 }, step, steps),
    feed({ noisy, clean }, step) {
      const [read, target] = [floats(noisy), floats(clean)]
      fillImages(target, images, batches.at(step))
      new Random(seed, 4, step).normals(read, noise)
      for (let i = 0; i < read.length; i++) read[i] = (read[i] ?? 0) + (target[i] ?? 0)
    },
    validate(session): Metrics {
      const count = Math.floor(parts.validation.length / measured)
      let loss = 0
      for (let i = 0; i < count; i++) {
        const items = parts.validation.subarray(i * measured, (i + 1) * measured)
        for (const input of ['noisy', 'clean']) fillImages(floats(evaluation.inputs[input]), images, items)
        loss += (evaluation.run(session).loss ?? Number.NaN) / count
      }
      return { loss }
    },
    /** Images, the same again, and where they differ. */
    samples(session) {
      const planes = planesOf(images, parts.validation.subarray(0, SHEET_COLUMNS))
      const count = planes.length / (channels * height * width)
      const shape = [count, channels, height, width]
      const checkpoint = session.weights('autoencoder')
      const fed = { images: { data: planes, shape } }
      const encoder = encodeModel(imageEncoder(config, checkpoint))
      const { mean } = compute(ort, encoder, fed, { mean: [count, latents] })
      const decoder = encodeModel(imageDecoder(config, checkpoint))
      const coded = { latents: { data: mean, shape: [count, latents] } }
      const { images: rebuilt } = compute(ort, decoder, coded, { images: shape })
      const apart = planes.map((value, i) => Math.abs(value - (rebuilt[i] ?? 0)))
      return sheet(joined([planes, rebuilt, apart]), config, count)
    },
    publish(session) {
      const checkpoint = session.weights('autoencoder')
      const [encoder, decoder, scorer] = [
        onnxFile(imageEncoder(config, checkpoint)),
        onnxFile(imageDecoder(config, checkpoint)),
        onnxFile(imageScorer(config, checkpoint, usualErrors(checkpoint))),
      ]
      const scores = scoresOf(ort, scorer.bytes, images, parts.validation)
      return {
        parts: {
          family: 'autoencoder',
          input: { kind: 'images', channels, height, width },
          latents,
          encoder: encoder.file,
          decoder: decoder.file,
          scorer: scorer.file,
          ...thresholdOf(scores, alarms),
        },
        files: [encoder.bytes, decoder.bytes, scorer.bytes],
        metrics: this.validate(session),
      }
    },
    [Symbol.dispose]: () => evaluation[Symbol.dispose](),
  }
}
