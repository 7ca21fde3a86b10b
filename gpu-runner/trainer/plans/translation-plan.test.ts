/** The graphs that translate compute what the step of training does. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { translationDecoder, translationEncoder } from '#models/architectures/published-translation.ts'
import { encodeModel } from '#models/graph/encode.ts'
import { Runtime } from '../../runtime/runtime.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { Random } from '../random.ts'
import { fillLines } from '../tasks/translation-lines.ts'
import { TrainingSession } from '../training-session.ts'
import { translationEvaluation, translationPlan } from './translation-plan.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

// As many words as the decoder tells candidates, so that it tells of all.
const WORDS = 16
const [HEADS, HEAD] = [2, 16]
const config = {
  ...{ vocabulary: WORDS, width: HEADS * HEAD, heads: HEADS, hidden: 64, encoderLayers: 2, decoderLayers: 2 },
  positions: 16,
}
const shape = { lines: 2, sourceLength: 16, targetLength: 16 }
const layers = ['0.key', '0.value', '1.key', '1.value']
const pair = { source: [2, 3, 4, 5, 0], target: [13, 14, 12, 0] }
const other = { source: [7, 8, 0], target: [9, 9, 9, 1, 0] }

test('token by token, a translation is as likely as it is in training, but for 8 bits', () => {
  const plan = translationPlan(config, { ...shape, smoothing: 0, dropout: 0, clip: 1, averaging: 0.5 })
  using training = new TrainingSession(ort, plan)
  training.initialize(new Random(1, 1))
  using evaluation = new EvaluationSession(ort, translationEvaluation(config, shape, plan))
  const lossOf = (...lines: (typeof pair)[][]) => {
    fillLines(evaluation.inputs, shape, lines, 1)
    return evaluation.run(training).loss ?? Number.NaN
  }
  const loss = lossOf([pair])
  // What else is in the line, or in the batch, changes nothing.
  const rest = lossOf([other])
  for (const together of [lossOf([other, pair]), lossOf([pair], [other])]) {
    assert.ok(Math.abs(together - loss - rest) < 1e-4, `${together} is not ${loss} and ${rest}`)
  }
  const checkpoint = training.weights('translator', { averaged: true })
  assert.ok(Math.abs(decoded(checkpoint) - loss) < 0.02, `${decoded(checkpoint)} is not ${loss}`)
})

function decoded(checkpoint: ReadonlyMap<string, Float32Array>): number {
  using owned = new DisposableStack()
  const encoder = owned.use(ort.session(encodeModel(translationEncoder(config, checkpoint))))
  const decoder = owned.use(ort.session(encodeModel(translationDecoder(config, checkpoint))))
  const floats = (dims: readonly number[]) => owned.use(ort.tensor('float32', dims))
  const integers = (dims: readonly number[], values: readonly number[]) =>
    owned.use(ort.tensor('int64', dims, BigInt64Array.from(values, BigInt)))
  const named = (prefix: string, length: number) =>
    Object.fromEntries(layers.map((name) => [`${prefix}.${name}`, floats([1, HEADS, length, HEAD])]))
  const length = pair.source.length
  const seen = owned.use(ort.tensor('int32', [1, length], new Int32Array(length).fill(1)))
  const memory = named('memory', length)
  const ids = integers([1, length], pair.source)
  const places = integers(
    [length],
    pair.source.map((_, i) => i),
  )
  owned.use(encoder.bind({ ids, places, seen }, memory)).run()
  let past = named('past', 0)
  let sum = 0
  for (const [t, token] of pair.target.entries()) {
    const present = named('present', t + 1)
    const [tokens, scores] = [integers([1, WORDS], Array(WORDS).fill(0)), floats([1, WORDS])]
    const step = {
      ids: integers([1], [t === 0 ? 0 : (pair.target[t - 1] ?? 0)]),
      place: integers([1], [t]),
      ...{ parents: integers([1], [0]), grid: integers([1, 1], [0]), seen },
    }
    owned.use(decoder.bind({ ...step, ...memory, ...past }, { ...present, tokens, scores })).run()
    sum -= scores.data[tokens.data.indexOf(BigInt(token))] ?? Number.NaN
    past = Object.fromEntries(Object.entries(present).map(([name, value]) => [name.replace('present', 'past'), value]))
  }
  return sum
}
