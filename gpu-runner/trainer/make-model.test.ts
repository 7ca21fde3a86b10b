import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import * as v from 'valibot'
import { publishedModelSchema } from '#protocol/published-model.ts'
import { Runtime } from '../runtime/runtime.ts'
import type { DataSet, ImageSet, RowSet } from './data/data-set.ts'
import { makeModel } from './make-model.ts'
import { Random } from './random.ts'
import type { Recipe } from './recipe.ts'
import type { TrainingEvent } from './trainer.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

function rows(count: number, anomalies: number): RowSet {
  const random = new Random(count)
  const values = new Float32Array(3 * count)
  for (let i = 0; i < count; i++) {
    const t = random.uniform()
    values.set(i < anomalies ? [t, 5, 9 * random.uniform()] : [t, 5 + t, 3 * t], 3 * i)
  }
  const columns = ['a', 'b', 'c'].map((name) => ({ name }))
  return {
    kind: 'rows',
    count,
    columns,
    values,
    labels: Uint8Array.from({ length: count }, (_, i) => +(i < anomalies)),
  }
}

function images(count: number): ImageSet {
  const random = new Random(count)
  const pixels = new Uint8Array(64 * count).map(() => 255 * random.uniform())
  const captions = Array.from({ length: count }, (_, i) => `number ${i}, noise`)
  return { kind: 'images', count, channels: 1, height: 8, width: 8, pixels, captions }
}

const common = { batch: 8, epochs: 2, rate: 1e-2, seed: 1, validation: 0.2 }
const side = 8 as const
const scorer = { latents: 1, noise: 0.1, alarms: 0.05 }
const RECIPES: readonly (readonly [Recipe, DataSet, DataSet, readonly string[]])[] = [
  [
    { method: 'autoencoder', ...common, epochs: 60, hidden: [8], ...scorer },
    rows(200, 0),
    rows(60, 10),
    [
      'validation.loss',
      'validation.explained_variance',
      'test.roc_auc',
      'test.average_precision',
      'test.recall',
      'test.false_alarms',
    ],
  ],
  [
    { method: 'image-autoencoder', ...common, side, layers: 'convolutional', hidden: [4], ...scorer },
    images(40),
    images(9),
    ['validation.loss', 'test.loss'],
  ],
  [
    { method: 'denoiser', ...common, side, hidden: [4, 4], noise: 0.2, flips: true },
    images(40),
    images(5),
    ['validation', 'test'].flatMap((part) => ['loss', 'psnr', 'psnr_noisy'].map((name) => `${part}.${name}`)),
  ],
  [
    { method: 'vae', ...common, side, hidden: [4], latents: 3, beta: 1, condition: 'caption', flips: false },
    images(40),
    images(9),
    [
      ...['loss', 'reconstruction', 'kl', 'retrieval', 'retrieval_unseen'].map((name) => `validation.${name}`),
      ...['loss', 'reconstruction', 'kl'].map((name) => `test.${name}`),
    ],
  ],
  [
    {
      ...{ method: 'gan', ...common, side, hidden: [4], latents: 3, condition: 'none' },
      ...{ style: 'relativistic', augmented: true, matching: 0 },
    },
    images(40),
    images(9),
    ['validation.sliced_wasserstein'],
  ],
]

for (const [recipe, training, test_, metrics] of RECIPES) {
  test(`a model is made of ${recipe.method}, with its card and files`, async () => {
    const source = { description: 'Made up', licence: 'CC0-1.0' }
    const events: TrainingEvent[] = []
    const options = { id: 'ft:made:up', owner: 'somebody', description: 'Made for a test', checkpoint: undefined }
    const made = await makeModel(
      ort,
      { recipe, training, test: test_, source },
      { ...options, onEvent: (event) => events.push(event) },
    )
    assert.ok(made)
    const { manifest, files } = made
    assert.deepEqual(v.parse(publishedModelSchema, manifest), manifest)
    assert.deepEqual([manifest.id, manifest.owner, manifest.card.licence], ['ft:made:up', 'somebody', 'CC0-1.0'])
    const named = JSON.stringify(manifest.parts)
    for (const file of files) assert.ok(named.includes(createHash('sha256').update(file).digest('hex')))
    assert.equal(named.match(/"sha256"/g)?.length, files.length)
    assert.deepEqual(Object.keys(manifest.card.metrics), metrics)
    assert.equal(manifest.card.recipe.seed, 1)
    const counted = new Set(events.map(({ type }) => type))
    assert.ok(counted.has('progress') && counted.has('validation'))
    if (recipe.method === 'autoencoder') assert.ok((manifest.card.metrics['test.roc_auc'] ?? 0) > 0.95)
  })
}

test('rows say what was explained of them, and of a model that has learnt nothing it is said', async () => {
  const [recipe, training] = RECIPES[0] ?? assert.fail('no recipe')
  const source = { description: 'Made up', licence: 'CC0-1.0' }
  const options = { id: 'm', owner: null, description: 'Made for a test', checkpoint: undefined }
  const good = (await makeModel(ort, { recipe, training, source }, options)) ?? assert.fail('stopped')
  assert.ok((good.manifest.card.metrics['validation.explained_variance'] ?? 0) > 0.9)
  assert.deepEqual([good.warnings, good.manifest.card.description], [[], 'Made for a test'])
  const short: Recipe = { ...recipe, epochs: 1, rate: 1e-6 }
  const bad = (await makeModel(ort, { recipe: short, training, source }, options)) ?? assert.fail('stopped')
  assert.ok((bad.manifest.card.metrics['validation.explained_variance'] ?? 1) < 0.01)
  assert.match(bad.warnings.join(), /^The model has learnt next to nothing: .* it explains -?\d+\.\d %/)
  assert.equal(bad.manifest.card.description, `Made for a test. ${bad.warnings.join()}`)
  // What never varies leaves nothing to explain.
  const constant = { ...(training as RowSet), values: new Float32Array(3 * training.count).fill(7) }
  const none = (await makeModel(ort, { recipe: short, training: constant, source }, options)) ?? assert.fail('stopped')
  assert.deepEqual([none.warnings, Object.keys(none.manifest.card.metrics)], [[], ['validation.loss']])
})

test('what was stopped is no model', async () => {
  const [recipe, training] = RECIPES[0] ?? assert.fail('no recipe')
  const source = { description: 'Made up', licence: 'CC0-1.0' }
  const options = { id: 'm', owner: null, description: 'Stopped', checkpoint: undefined, signal: AbortSignal.abort() }
  assert.equal(await makeModel(ort, { recipe, training, source }, options), undefined)
})
