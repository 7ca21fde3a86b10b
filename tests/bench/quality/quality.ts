/**
 * `npm run bench:quality -- <which>`: how well what is trained here learns, on the same data for as long as what it is
 * compared with. The figures in brackets are PyTorch's, or PyOD's, of the same model (docs/models.md).
 */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { Runtime } from '#gpu-runner/runtime/runtime.ts'
import type { Tensor } from '#gpu-runner/runtime/tensor.ts'
import { computeEach, joined } from '#gpu-runner/trainer/compute.ts'
import { CATALOGUE } from '#gpu-runner/trainer/data/catalogue/catalogue.ts'
import { fashionMnist } from '#gpu-runner/trainer/data/catalogue/fashion-mnist.ts'
import { sensorReadings } from '#gpu-runner/trainer/data/catalogue/sensors.ts'
import type { ImageSet } from '#gpu-runner/trainer/data/data-set.ts'
import { Batches, split } from '#gpu-runner/trainer/data/split.ts'
import { averagePrecision, rocAuc } from '#gpu-runner/trainer/evaluation/ranking.ts'
import { scoresOf } from '#gpu-runner/trainer/evaluation/scoring.ts'
import { EvaluationSession } from '#gpu-runner/trainer/evaluation-session.ts'
import { autoencoderEvaluation, autoencoderPlan } from '#gpu-runner/trainer/plans/autoencoder-plan.ts'
import { Random } from '#gpu-runner/trainer/random.ts'
import type { Task } from '#gpu-runner/trainer/task.ts'
import { ganRate, ganTask } from '#gpu-runner/trainer/tasks/gan-task.ts'
import { imageAutoencoderTask } from '#gpu-runner/trainer/tasks/image-autoencoder-task.ts'
import { planesOf } from '#gpu-runner/trainer/tasks/pixels.ts'
import { train } from '#gpu-runner/trainer/trainer.ts'
import { TrainingSession } from '#gpu-runner/trainer/training-session.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import { FEATURES, trainClassifier } from './classifier.ts'
import { frechetDistance } from './frechet.ts'

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..')
const models = process.env.TANDEM_MODELS ?? path.join(process.env.TANDEM_HOME ?? path.join(ROOT, '.tandem'), 'models')
const all = ({ count }: ImageSet) => Uint32Array.from({ length: count }, (_, i) => i)
/** What is read, and what is to be given back: the same. */
function feed(inputs: Readonly<Record<string, Tensor>>, rows: Float32Array): void {
  for (const name of ['rows', 'clean']) {
    const data = inputs[name]?.data
    if (data instanceof Float32Array) data.set(rows)
  }
}
const say = (text: string) => console.log(text)

/** An autoencoder 784-512-128-k, 20 epochs of 256: mean squared error of a pixel of the test. */
async function autoencoder(ort: Runtime): Promise<void> {
  const [training, test] = await Promise.all([fashionMnist('train', 28, models), fashionMnist('test', 28, models)])
  const columns = 784
  for (const [latents, peer] of [
    [16, '0.0145 to 0.0155, PCA 0.0204'],
    [2, '0.0264 to 0.0267, PCA 0.0461'],
  ] as const) {
    const config = { columns, latents, hidden: [512, 128], output: 'sigmoid' } as const
    const plan = autoencoderPlan(config, { batch: 256 })
    using session = new TrainingSession(ort, plan)
    session.initialize(new Random(1, 1))
    const batches = new Batches(all(training), 256, 1)
    const steps = 20 * batches.stepsPerEpoch
    for (let t = 1; t <= steps; t++) {
      const rows = planesOf(training, batches.at(t))
      feed(session.inputs, rows)
      session.run(t, rateAt({ rate: 1e-3, cosineTo: 0 }, t, steps))
    }
    const at = 1_000
    using evaluation = new EvaluationSession(ort, autoencoderEvaluation(config, { batch: at }, plan))
    let loss = 0
    for (let i = 0; i < test.count; i += at) {
      const rows = planesOf(test, all(test).subarray(i, i + at))
      feed(evaluation.inputs, rows)
      loss += ((evaluation.run(session).loss ?? Number.NaN) * at) / test.count
    }
    say(`autoencoder of ${latents}: test MSE ${loss.toFixed(5)} (${peer})`)
  }
}

/** Trained on T-shirts alone: how well it tells what is none. */
async function shirts(ort: Runtime): Promise<void> {
  const [training, test] = await Promise.all([fashionMnist('train', 32, models), fashionMnist('test', 32, models)])
  const items = all(training).filter((item) => training.labels?.[item] === 0)
  const held = split(items.length, 0.05, 1)
  const parts = {
    training: held.training.map((i) => items[i] ?? 0),
    validation: held.validation.map((i) => items[i] ?? 0),
  }
  const size = { layers: 'dense', hidden: [128], latents: 16 } as const
  const options = { ...size, noise: 0, batch: 64, epochs: 20, rate: 1e-3, alarms: 0.05 }
  using task = imageAutoencoderTask(ort, training, parts, { ...options, seed: 1 })
  const { session } = await train(ort, task, { seed: 1, recipe: 'shirts' })
  using trained = session
  const [, , scorer = new Uint8Array()] = task.publish(trained, ort).files
  const labels = all(test).map((item) => Number(test.labels?.[item] !== 0))
  say(`T-shirt against the rest: ROC-AUC ${rocAuc(scoresOf(ort, scorer, test, all(test)), labels).toFixed(4)} (0.908)`)
}

/** The scorer that ships, on all readings of the sensors: those that it was trained on and those with the anomalies. */
async function sensors(ort: Runtime): Promise<void> {
  const data = await sensorReadings('all', models)
  const scorer = await readFile(path.join(ROOT, 'models', 'bundled', 'sensor-anomalies', 'scorer.onnx'))
  const items = Uint32Array.from({ length: data.count }, (_, i) => i)
  const scores = scoresOf(ort, scorer, data, items)
  const labels = data.labels ?? new Uint8Array()
  const [precision, area] = [averagePrecision(scores, labels), rocAuc(scores, labels)]
  say(`sensors: average precision ${precision.toFixed(3)}, ROC-AUC ${area.toFixed(3)} (0.77, 0.98)`)
}

/** Pictures made after 2,000 steps of 64, against those of the test. */
async function gan(ort: Runtime): Promise<void> {
  const data = CATALOGUE['fashion-mnist']
  const [training, test] = await Promise.all([data.train(models), data.test(models)])
  const classifier = trainClassifier(ort, training, test)
  const real = classifier.features(planesOf(test, all(test)))
  const distance = (planes: Float32Array) => frechetDistance(classifier.features(planes), real, FEATURES)
  const random = new Random(8)
  const noise = new Float32Array(10_000 * 1024).map(() => random.uniform())
  say(
    `classifier: accuracy ${classifier.accuracy.toFixed(4)}; real pictures ${distance(
      planesOf(training, all(training).subarray(0, 10_000)),
    ).toFixed(2)}, noise ${distance(noise).toFixed(0)} (90.9 %, 0.18, 420)`,
  )
  const parts = split(training.count, 0.005, 1)
  // The second has half the channels: at this rate its critic learns nothing in a wider one.
  for (const [style, rate, hidden] of [
    ['dcgan', 2e-4, [256, 128, 64]],
    ['relativistic', 1e-3, [128, 64, 32]],
  ] as const) {
    const size = { hidden, latents: 100, batch: 64, epochs: 3, rate, seed: 1 }
    const options = { ...size, style, condition: 'none', augmented: false, matching: 0 } as const
    using task = ganTask(ort, training, parts, options)
    const steps = 2_000
    const { plan, stepsPerEpoch } = task
    const short: Task = {
      plan,
      steps,
      stepsPerEpoch,
      rate: (step) => ganRate({ style, rate }, step, steps),
      feed: (inputs, step) => task.feed(inputs, step),
      validate: () => ({}),
      publish: (session, runtime) => task.publish(session, runtime),
      [Symbol.dispose]: () => undefined,
    }
    const { session } = await train(ort, short, { seed: 1, recipe: style })
    using trained = session
    const [generator = new Uint8Array()] = task.publish(trained, ort).files
    const latents = new Random(9)
    const drawn = Array.from({ length: 20 }, () => ({
      latents: { data: latents.normals(new Float32Array(50_000)), shape: [500, 100] },
    }))
    const made = computeEach(ort, generator, drawn, { images: [500, 1, 32, 32] })
    say(`${style}, ${steps} steps of 64: ${distance(joined(made.map(({ images }) => images))).toFixed(1)} (20.9)`)
  }
}

const BENCHES = { sensors, autoencoder, shirts, gan }
const wanted = process.argv.slice(2)
using ort = new Runtime({ threads: availableParallelism() })
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench(ort)
}
