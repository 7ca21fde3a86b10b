/** Training a denoiser on images that noise is added to, of another strength each. */
import { type DenoiserConfig, denoise } from '#models/architectures/denoiser.ts'
import { denoiser } from '#models/architectures/published.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import { encodeModel } from '#models/graph/encode.ts'
import type { Layers, Maps } from '#models/nn/layers.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { compute, joined } from '../compute.ts'
import type { ImageSet } from '../data/data-set.ts'
import { Batches, type Split } from '../data/split.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { rebuildingEvaluation, rebuildingPlan } from '../plans/rebuilding-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import { onnxFile } from './onnx-file.ts'
import { fillImages, planesOf } from './pixels.ts'
import { sheet } from './sheet.ts'

export interface DenoiserTaskOptions {
  readonly hidden: readonly number[]
  /** Whether half of the images are turned left to right. */
  readonly flips: boolean
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  /** The strongest noise: its deviation, of pixels in [0, 1]. */
  readonly noise: number
  readonly seed: number
}

const SHEET_COLUMNS = 16

export function denoiserTask(ort: Runtime, images: ImageSet, parts: Split, options: DenoiserTaskOptions): Task {
  const { hidden, batch, epochs, noise, seed, rate, flips } = options
  const { channels, height, width } = images
  const config: DenoiserConfig = { channels, height, width, hidden }
  const batches = new Batches(parts.training, batch, seed)
  const steps = epochs * batches.stepsPerEpoch
  const network = {
    name: 'denoiser',
    channels,
    height,
    width,
    rebuild: (layers: Layers, noisy: Maps) => denoise(layers, config, noisy),
  }
  const plan = rebuildingPlan(network, batch)
  const measured = Math.min(batch, parts.validation.length)
  const evaluation = new EvaluationSession(ort, rebuildingEvaluation(network, measured, plan))
  const size = config.channels * config.height * config.width
  const floats = (tensor: { readonly data: unknown } | undefined) => tensor?.data as Float32Array
  /** Pixels stay within [0, 1], as those of a picture do. */
  const disturb = (noisy: Float32Array, clean: Float32Array, random: Random, strength: (i: number) => number) => {
    random.normals(noisy)
    for (let image = 0; image * size < clean.length; image++) {
      const deviation = strength(image)
      for (let i = image * size; i < (image + 1) * size; i++) {
        noisy[i] = Math.min(1, Math.max(0, (clean[i] ?? 0) + deviation * (noisy[i] ?? 0)))
      }
    }
  }
  const squareOf = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + (value - (y[i] ?? 0)) ** 2, 0) / x.length
  return {
    plan,
    steps,
    stepsPerEpoch: batches.stepsPerEpoch,
    rate: (step) => rateAt({ rate, cosineTo: 0 }, step, steps),
    feed({ noisy, clean }, step) {
      const random = new Random(seed, 4, step)
      fillImages(floats(clean), images, batches.at(step), { flipped: () => flips && random.uniform() < 0.5 })
      const strengths = Array.from({ length: batch }, () => noise * random.uniform())
      disturb(floats(noisy), floats(clean), random, (image) => strengths[image] ?? 0)
    },
    /** With half of the strongest noise; decibels before and after. */
    validate(session): Metrics {
      let [loss, before] = [0, 0]
      const count = Math.floor(parts.validation.length / measured)
      for (let i = 0; i < count; i++) {
        const [noisy, clean] = [floats(evaluation.inputs.noisy), floats(evaluation.inputs.clean)]
        fillImages(clean, images, parts.validation.subarray(i * measured, (i + 1) * measured))
        disturb(noisy, clean, new Random(seed, 5, i), () => noise / 2)
        before += squareOf(noisy, clean) / count
        loss += (evaluation.run(session).loss ?? Number.NaN) / count
      }
      return { loss, psnr: decibels(loss), psnr_noisy: decibels(before) }
    },
    /** Images, the same with noise, and without it again. */
    samples(session) {
      const planes = planesOf(images, parts.validation.subarray(0, SHEET_COLUMNS))
      const shape = [planes.length / size, channels, height, width]
      const noisy = new Float32Array(planes.length)
      disturb(noisy, planes, new Random(seed, 6), () => noise / 2)
      const model = encodeModel(denoiser(config, session.weights('denoiser')))
      const after = compute(ort, model, { noisy: { data: noisy, shape } }, { images: shape }).images
      return sheet(joined([planes, noisy, after]), config, planes.length / size)
    },
    publish(session) {
      const { bytes, file } = onnxFile(denoiser(config, session.weights('denoiser')))
      return {
        parts: {
          family: 'denoiser',
          input: { kind: 'images', channels, height, width },
          denoiser: file,
        },
        files: [bytes],
        metrics: this.validate(session),
      }
    },
    [Symbol.dispose]: () => evaluation[Symbol.dispose](),
  }
}

/** Peak signal-to-noise ratio of pixels in [0, 1]. */
const decibels = (squaredError: number): number => -10 * Math.log10(squaredError)
