/** Training a variational autoencoder on images. */
import { vaeDecoder, vaeEncoder } from '#models/architectures/published.ts'
import type { VaeConfig } from '#models/architectures/vae.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ImageSet } from '../data/data-set.ts'
import { Batches, type Split } from '../data/split.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { vaeEvaluation, vaePlan } from '../plans/vae-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import { onnxFile } from './onnx-file.ts'
import { fillImages } from './pixels.ts'

export interface VaeTaskOptions {
  readonly config: VaeConfig
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  readonly beta: number
  readonly seed: number
}

export function vaeTask(ort: Runtime, images: ImageSet, parts: Split, options: VaeTaskOptions): Task {
  const { config, batch, epochs, beta, seed, rate } = options
  const batches = new Batches(parts.training, batch, seed)
  const steps = epochs * batches.stepsPerEpoch
  const plan = vaePlan(config, { batch, beta })
  const measured = Math.min(batch, parts.validation.length)
  const evaluation = new EvaluationSession(ort, vaeEvaluation(config, { batch: measured, beta }, plan))
  const floats = (tensor: { readonly data: unknown } | undefined) => tensor?.data as Float32Array
  return {
    plan,
    steps,
    stepsPerEpoch: batches.stepsPerEpoch,
    rate: (step) => rateAt({ rate, cosineTo: 0 }, step, steps),
    feed({ images: target, noise }, step) {
      fillImages(floats(target), images, batches.at(step))
      new Random(seed, 4, step).normals(floats(noise))
    },
    validate(session): Metrics {
      const sums: Record<string, number> = {}
      const count = Math.floor(parts.validation.length / measured)
      for (let i = 0; i < count; i++) {
        fillImages(
          floats(evaluation.inputs.images),
          images,
          parts.validation.subarray(i * measured, (i + 1) * measured),
        )
        new Random(seed, 5, i).normals(floats(evaluation.inputs.noise))
        for (const [name, value] of Object.entries(evaluation.run(session))) sums[name] = (sums[name] ?? 0) + value
      }
      return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count]))
    },
    publish(session) {
      const checkpoint = session.weights('vae')
      const [encoder, decoder] = [onnxFile(vaeEncoder(config, checkpoint)), onnxFile(vaeDecoder(config, checkpoint))]
      const { channels, height, width, latents } = config
      return {
        parts: {
          family: 'vae',
          input: { kind: 'images', channels: channels as 1 | 3 | 4, height, width },
          latents,
          encoder: encoder.file,
          decoder: decoder.file,
        },
        files: [encoder.bytes, decoder.bytes],
        metrics: this.validate(session),
      }
    },
    [Symbol.dispose]: () => evaluation[Symbol.dispose](),
  }
}
