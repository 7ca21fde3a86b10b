/** Training a generator of images against a critic. */
import type { GanConfig } from '#models/architectures/gan.ts'
import { type Checkpoint, ganGenerator } from '#models/architectures/published.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ImageSet } from '../data/data-set.ts'
import { Batches, type Split } from '../data/split.ts'
import { retrieval } from '../evaluation/retrieval.ts'
import { diversity, slicedWasserstein } from '../evaluation/sliced-wasserstein.ts'
import { variety } from '../evaluation/variety.ts'
import { type GanStyle, ganPlan } from '../plans/gan-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import type { TrainingSession } from '../training-session.ts'
import { fillAugmentation } from './augmentation.ts'
import { type Drawn, drawImages, generatorCheckpoint } from './gan-sampler.ts'
import { type ConditionKind, imageConditions } from './image-conditions.ts'
import { onnxFile } from './onnx-file.ts'
import { fillImages, planesOf } from './pixels.ts'
import { sheet } from './sheet.ts'

export interface GanTaskOptions {
  readonly hidden: readonly number[]
  readonly latents: number
  readonly condition: ConditionKind
  readonly style: GanStyle
  readonly augmented: boolean
  /** What it counts that an image is like the real one of its condition; 0 for images without, or with few of them. */
  readonly matching: number
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  readonly seed: number
}

/** Share of the steps at the highest rate. */
const HELD = 0.5
/** Images that measure, at most, and of a sheet. */
const MEASURED = 256
const SHEET = { columns: 8, rows: 8 }
/** Batches that a generator's running statistics are measured on. */
const CALIBRATION = 16
/** Conditions that a model draws one of when it is told none. */
const EXAMPLES = 128
/** Before this nothing is expected of a generator. */
const FIRST_STEPS = 500
/** Of the real images' diversity: below it a generator has collapsed. */
const LEAST_DIVERSITY = 0.05

export function ganTask(ort: Runtime, images: ImageSet, parts: Split, options: GanTaskOptions): Task {
  const { batch, epochs, seed, rate, matching, augmented, style, latents, hidden } = options
  const { channels, height, width } = images
  const conditions = imageConditions(images, options.condition, { kinAmong: parts.training })
  const config: GanConfig = { channels, height, width, latents, hidden, condition: conditions?.size ?? 0 }
  const batches = new Batches(parts.training, batch, seed)
  const steps = epochs * batches.stepsPerEpoch
  const plan = ganPlan(config, { batch, style, averaging: averagingOver(steps), augmented, matching })
  const floats = (tensor: { readonly data: unknown } | undefined) => tensor?.data as Float32Array
  const size = channels * height * width

  /** What to draw for items, a batch at a time. */
  const asked = (items: Uint32Array, purpose: number): Drawn[] => {
    const random = new Random(seed, purpose)
    return Array.from({ length: Math.ceil(items.length / batch) }, (_, i) => {
      const some = items.subarray(i * batch, (i + 1) * batch)
      const condition = new Float32Array(batch * config.condition)
      conditions?.fill(condition, some)
      return {
        latents: { data: random.normals(new Float32Array(batch * latents)), shape: [batch, latents] },
        ...(conditions && { condition: { data: condition, shape: [batch, config.condition] } }),
      }
    })
  }
  const someOf = (items: Uint32Array, most: number) => new Random(seed, 6).shuffle(items.slice()).subarray(0, most)
  const calibration = asked(repeated(someOf(parts.training, CALIBRATION * batch), CALIBRATION * batch), 7)
  const draw = (checkpoint: Checkpoint, items: Uint32Array, purpose: number) =>
    drawImages(ort, config, checkpoint, asked(items, purpose)).subarray(0, items.length * size)
  const checkpointOf = (session: TrainingSession) => generatorCheckpoint(ort, config, session, calibration)
  const measured = someOf(parts.validation, MEASURED)
  const learned = someOf(parts.training, MEASURED)

  return {
    plan,
    steps,
    stepsPerEpoch: batches.stepsPerEpoch,
    rate: (step) => ganRate({ style, rate }, step, steps),
    feed(inputs, step) {
      const items = batches.at(step)
      const random = new Random(seed, 4, step)
      fillImages(floats(inputs.images), images, items, { range: [-1, 1] })
      random.normals(floats(inputs.latents))
      if (inputs.noise) random.normals(floats(inputs.noise))
      const told = conditions?.draw(floats(inputs.condition), items, random)
      if (told && inputs.told) floats(inputs.told).set(told)
      if (augmented) fillAugmentation(inputs, config, { batch, random })
    },
    validate(session): Metrics {
      const checkpoint = checkpointOf(session)
      const made = draw(checkpoint, measured, 5)
      const distance = slicedWasserstein(made, planesOf(images, measured), size)
      if (conditions?.conditions.kind !== 'text') return { sliced_wasserstein: distance }
      const [told, again] = [draw(checkpoint, learned, 5), draw(checkpoint, learned, 8)]
      const real = planesOf(images, learned)
      return {
        sliced_wasserstein: distance,
        retrieval: retrieval(told, real, config),
        retrieval_unseen: retrieval(made, planesOf(images, measured), config),
        variety: variety(told, again, real, size),
      }
    },
    collapse(session, step) {
      if (step < FIRST_STEPS) return undefined
      const made = diversity(draw(checkpointOf(session), learned, 5), size)
      const real = diversity(planesOf(images, learned), size)
      if (made >= LEAST_DIVERSITY * real) return undefined
      return `the images that are drawn are nearly the same: their variance is ${made.toPrecision(2)}, that of real ones ${real.toPrecision(2)}.`
    },
    samples: (session) =>
      sheet(draw(checkpointOf(session), learned.subarray(0, SHEET.columns * SHEET.rows), 5), config, SHEET.columns),
    publish(session) {
      const examples = conditions && new Float32Array(Math.min(EXAMPLES, learned.length) * conditions.size)
      if (examples) conditions.fill(examples, learned.subarray(0, EXAMPLES))
      const { bytes, file } = onnxFile(ganGenerator(config, checkpointOf(session), examples))
      return {
        parts: {
          family: 'gan',
          input: { kind: 'images', channels, height, width },
          latents,
          ...(conditions && { conditions: conditions.conditions }),
          generator: file,
        },
        files: [bytes],
        metrics: this.validate(session),
      }
    },
    [Symbol.dispose]: () => undefined,
  }
}

/** The learning rate: DCGAN's stays, the others' goes down; a relativistic one learns quickest before it does. */
export function ganRate({ style, rate }: Pick<GanTaskOptions, 'style' | 'rate'>, step: number, steps: number): number {
  return rateAt(
    { rate, held: style === 'relativistic' ? HELD : 0, cosineTo: style === 'dcgan' ? rate : 0 },
    step,
    steps,
  )
}

/** The decay of an average over the last tenth of the steps. */
const averagingOver = (steps: number): number => Math.max(0, 1 - 10 / steps)

/** Items from the beginning again until there are so many. */
const repeated = (items: Uint32Array, count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => items[i % items.length] ?? 0)
