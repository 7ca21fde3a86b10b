/** Training a variational autoencoder on images. */
import { vaeDecoder, vaeEncoder, vaePrior } from '#models/architectures/published.ts'
import type { VaeConfig } from '#models/architectures/vae.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { joined } from '../compute.ts'
import type { ImageSet } from '../data/data-set.ts'
import { Batches, type Split } from '../data/split.ts'
import { retrieval } from '../evaluation/retrieval.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { vaeEvaluation, vaePlan } from '../plans/vae-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import type { TrainingSession } from '../training-session.ts'
import { type ConditionKind, imageConditions } from './image-conditions.ts'
import { onnxFile } from './onnx-file.ts'
import { fillImages, planesOf } from './pixels.ts'
import { sheet } from './sheet.ts'
import { drawNew, rebuild } from './vae-drawing.ts'

export interface VaeTaskOptions {
  readonly hidden: readonly number[]
  readonly latents: number
  readonly condition: ConditionKind
  /** Whether half of the images are turned left to right. */
  readonly flips: boolean
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  readonly beta: number
  readonly seed: number
}

const SHEET_COLUMNS = 16
/** Captions that are asked for, at most. */
const ASKED = 256

export function vaeTask(ort: Runtime, images: ImageSet, parts: Split, options: VaeTaskOptions): Task {
  const { batch, epochs, beta, seed, rate, latents, hidden, flips } = options
  const { channels, height, width } = images
  const conditions = imageConditions(images, options.condition)
  const config: VaeConfig = { channels, height, width, latents, hidden, condition: conditions?.size }
  const batches = new Batches(parts.training, batch, seed)
  const steps = epochs * batches.stepsPerEpoch
  const plan = vaePlan(config, { batch, beta })
  const measured = Math.min(batch, parts.validation.length)
  const evaluation = new EvaluationSession(ort, vaeEvaluation(config, { batch: measured, beta }, plan))
  const drawingOf = (session: TrainingSession) => ({ ort, config, checkpoint: session.weights('vae') })
  const drawItems = (session: TrainingSession, items: Uint32Array) => {
    const condition = conditions && new Float32Array(items.length * conditions.size)
    if (condition) conditions.fill(condition, items)
    return drawNew(drawingOf(session), items.length, new Random(seed, 7), condition)
  }
  const someOf = (items: Uint32Array, most: number) => new Random(seed, 6).shuffle(items.slice()).subarray(0, most)
  const shown = someOf(parts.validation, SHEET_COLUMNS)
  /** Of images that were asked for by their captions. */
  const retrievals = (session: TrainingSession): Metrics => {
    if (conditions?.conditions.kind !== 'text') return {}
    const of = (items: Uint32Array) => retrieval(drawItems(session, items), planesOf(images, items), config)
    return {
      retrieval: of(someOf(parts.training, ASKED)),
      retrieval_unseen: of(someOf(parts.validation, ASKED)),
    }
  }
  const floats = (tensor: { readonly data: unknown } | undefined) => tensor?.data as Float32Array
  return {
    plan,
    steps,
    stepsPerEpoch: batches.stepsPerEpoch,
    rate: (step) => rateAt({ rate, cosineTo: 0 }, step, steps),
    feed({ images: target, noise, condition }, step) {
      const items = batches.at(step)
      const random = new Random(seed, 4, step)
      fillImages(floats(target), images, items, { flipped: () => flips && random.uniform() < 0.5 })
      random.normals(floats(noise))
      conditions?.draw(floats(condition), items, random)
    },
    validate(session): Metrics {
      const sums: Record<string, number> = {}
      const count = Math.floor(parts.validation.length / measured)
      for (let i = 0; i < count; i++) {
        const items = parts.validation.subarray(i * measured, (i + 1) * measured)
        fillImages(floats(evaluation.inputs.images), images, items)
        new Random(seed, 5, i).normals(floats(evaluation.inputs.noise))
        conditions?.fill(floats(evaluation.inputs.condition), items)
        for (const [name, value] of Object.entries(evaluation.run(session))) sums[name] = (sums[name] ?? 0) + value
      }
      return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count]))
    },
    /** Images, the same again, and new ones of what they are. */
    samples(session) {
      const planes = planesOf(images, shown)
      const drawing = drawingOf(session)
      return sheet(joined([planes, rebuild(drawing, planes), drawItems(session, shown)]), config, shown.length)
    },
    publish(session) {
      const checkpoint = session.weights('vae')
      const [encoder, decoder] = [onnxFile(vaeEncoder(config, checkpoint)), onnxFile(vaeDecoder(config, checkpoint))]
      const prior = conditions && onnxFile(vaePrior(config, checkpoint))
      return {
        parts: {
          family: 'vae',
          input: { kind: 'images', channels, height, width },
          latents,
          encoder: encoder.file,
          decoder: decoder.file,
          ...(prior && { prior: { file: prior.file, conditions: conditions.conditions } }),
        },
        files: [encoder.bytes, decoder.bytes, ...(prior ? [prior.bytes] : [])],
        metrics: { ...this.validate(session), ...retrievals(session) },
      }
    },
    [Symbol.dispose]: () => evaluation[Symbol.dispose](),
  }
}
