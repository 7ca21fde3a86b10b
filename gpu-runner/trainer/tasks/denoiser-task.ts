/** Training a denoiser on images that noise is added to, of another strength each. */
import type { DenoiserConfig } from '#models/architectures/denoiser.ts'
import { denoiser } from '#models/architectures/published.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ImageSet } from '../data/data-set.ts'
import { Batches, type Split } from '../data/split.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { denoiserEvaluation, denoiserPlan } from '../plans/denoiser-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import { onnxFile } from './onnx-file.ts'
import { fillImages } from './pixels.ts'

export interface DenoiserTaskOptions {
  readonly config: DenoiserConfig
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  /** The strongest noise: its deviation, of pixels in [0, 1]. */
  readonly noise: number
  readonly seed: number
}

export function denoiserTask(ort: Runtime, images: ImageSet, parts: Split, options: DenoiserTaskOptions): Task {
  const { config, batch, epochs, noise, seed, rate } = options
  const batches = new Batches(parts.training, batch, seed)
  const steps = epochs * batches.stepsPerEpoch
  const plan = denoiserPlan(config, { batch })
  const measured = Math.min(batch, parts.validation.length)
  const evaluation = new EvaluationSession(ort, denoiserEvaluation(config, { batch: measured }, plan))
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
      fillImages(floats(clean), images, batches.at(step))
      const random = new Random(seed, 4, step)
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
    publish(session) {
      const { bytes, file } = onnxFile(denoiser(config, session.weights('denoiser')))
      const { channels, height, width } = config
      return {
        parts: {
          family: 'denoiser',
          input: { kind: 'images', channels: channels as 1 | 3 | 4, height, width },
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
