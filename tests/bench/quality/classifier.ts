/** A small classifier of pictures of clothes, whose features made pictures are compared with real ones by. */

import type { Runtime } from '#gpu-runner/runtime/runtime.ts'
import { compute, joined } from '#gpu-runner/trainer/compute.ts'
import type { ImageSet } from '#gpu-runner/trainer/data/data-set.ts'
import { Batches } from '#gpu-runner/trainer/data/split.ts'
import { Random } from '#gpu-runner/trainer/random.ts'
import { StepBuilder } from '#gpu-runner/trainer/step-builder.ts'
import { fillImages, planesOf } from '#gpu-runner/trainer/tasks/pixels.ts'
import { TrainingSession } from '#gpu-runner/trainer/training-session.ts'
import { adam } from '#models/autodiff/optimizers.ts'
import { rateAt } from '#models/autodiff/schedules.ts'
import { GraphBuilder } from '#models/graph/builder.ts'
import { encodeModel } from '#models/graph/encode.ts'
import { flatten, type Layers, linear, type Maps } from '#models/nn/layers.ts'
import { crossEntropy } from '#models/nn/losses.ts'
import { halved } from '#models/nn/pyramid.ts'
import { trainedWeights } from '#models/nn/trainable.ts'

const HIDDEN = [32, 64]
export const FEATURES = 48
const CLASSES = 10
const BATCH = 64
const EPOCHS = 5
const RATE = 1e-3
const AT_ONCE = 500

/** images → features [images, FEATURES] and logits [images, CLASSES] */
function classify(layers: Layers, images: Maps) {
  const { g } = layers
  const small = halved(layers, 'conv', images, HIDDEN)
  const [features] = g.op('Relu', [linear(layers, 'features', flatten(layers, small), FEATURES, { from: small })], {})
  return { features, logits: linear(layers, 'classes', features, CLASSES) }
}

export interface Classifier {
  /** [n, FEATURES] of images [n, 1, 32, 32] in [0, 1], n a multiple of 500. */
  features(planes: Float32Array): Float32Array
  readonly accuracy: number
}

export function trainClassifier(ort: Runtime, training: ImageSet, test: ImageSet): Classifier {
  const { channels, height, width } = training
  const step = new StepBuilder('classifier')
  const maps = (value: Maps['value']): Maps => ({ value, images: BATCH, channels, height, width })
  const pixels = [BATCH * height * width, channels]
  const network = step.network(
    'classifier',
    (g, weights) => classify({ g, weights, layout: 'rows' }, maps(g.input('images', 'float32', pixels))),
    { optimizer: adam() },
  )
  const images = step.input('images', 'float32', pixels)
  const classes = step.input('classes', 'int64', [BATCH])
  const { logits } = classify({ g: step.g, weights: network.weights, layout: 'rows' }, maps(images))
  const loss = crossEntropy(step.g, logits, classes)
  step.minimise(network, loss)
  step.metric('loss', loss)
  using session = new TrainingSession(ort, step.build())
  session.initialize(new Random(1, 1))
  const batches = new Batches(
    Uint32Array.from({ length: training.count }, (_, i) => i),
    BATCH,
    1,
  )
  const steps = EPOCHS * batches.stepsPerEpoch
  for (let t = 1; t <= steps; t++) {
    const items = batches.at(t)
    fillImages(session.inputs.images?.data as Float32Array, training, items)
    const labels = session.inputs.classes?.data as BigInt64Array
    for (const [i, item] of items.entries()) labels[i] = BigInt(training.labels?.[item] ?? 0)
    session.run(t, rateAt({ rate: RATE, cosineTo: 0 }, t, steps))
  }
  const g = new GraphBuilder('classifier')
  const input = g.input('images', 'float32', ['n', channels, height, width])
  const weights = trainedWeights(g, session.weights('classifier'))
  const outputs = classify({ g, weights, layout: 'planes' }, { value: input, images: 'n', channels, height, width })
  g.output(outputs.features, 'features')
  g.output(outputs.logits, 'logits')
  const model = encodeModel(g.build())
  const size = channels * height * width
  const each = (planes: Float32Array) =>
    Array.from({ length: planes.length / (AT_ONCE * size) }, (_, i) => {
      const data = planes.subarray(i * AT_ONCE * size, (i + 1) * AT_ONCE * size)
      const wanted = { features: [AT_ONCE, FEATURES], logits: [AT_ONCE, CLASSES] }
      return compute(ort, model, { images: { data, shape: [AT_ONCE, channels, height, width] } }, wanted)
    })
  const all = Uint32Array.from({ length: test.count }, (_, i) => i)
  const logitsOf = joined(each(planesOf(test, all)).map((batch) => batch.logits))
  const right = all.filter((item) => {
    const row = logitsOf.subarray(item * CLASSES, (item + 1) * CLASSES)
    return row.indexOf(Math.max(...row)) === test.labels?.[item]
  }).length
  return {
    accuracy: right / test.count,
    features: (planes) => joined(each(planes).map((batch) => batch.features)),
  }
}
