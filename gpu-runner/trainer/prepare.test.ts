import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import sharp from 'sharp'
import * as v from 'valibot'
import { trainingMethodSchema } from '#protocol/training.ts'
import { type ZipEntry, zipOf } from '../testing/zip.ts'
import { DataSetError } from './data/data-set-error.ts'
import { prepare } from './prepare.ts'
import { recipeSchema } from './recipe.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tandem-prepare-'))
after(() => rmSync(folder, { recursive: true }))

let written = 0
function file(contents: string | Buffer): string {
  const name = path.join(folder, `${written++}`)
  writeFileSync(name, contents)
  return name
}

async function images(
  count: number,
  { side = 20, folders = false, captions = false, grey = false } = {},
): Promise<string> {
  const entries: ZipEntry[] = []
  for (let i = 0; i < count; i++) {
    const image = sharp({
      create: { width: side, height: side + 5, channels: 3, background: { r: i, g: 2 * i, b: 9 } },
    })
    const contents = await (grey ? image.toColourspace('b-w') : image).png().toBuffer()
    entries.push({ name: `${folders ? `class-${i % 3}/` : ''}${String(i).padStart(3, '0')}.png`, contents })
  }
  const lines = entries.map(({ name }, i) => JSON.stringify({ file_name: name, text: `number ${i}` }))
  if (captions) entries.push({ name: 'metadata.jsonl', contents: Buffer.from(lines.join('\n')) })
  return file(zipOf(entries))
}

const table = (rows: number, header = 'when,x,y,bad') =>
  file([header, ...Array.from({ length: rows }, (_, i) => `day ${i},${i},${i * i},${Number(i % 9 === 0)}`)].join('\n'))

const method = (type: 'vae' | 'autoencoder' | 'gan', hyperparameters: object = {}) =>
  v.parse(trainingMethodSchema, { type, [type]: { hyperparameters } })

async function prepared(...args: Parameters<typeof prepare>) {
  const found = await prepare(...args)
  // What is resolved is a recipe from which the model can be made again.
  assert.deepEqual(v.parse(recipeSchema, found.recipe), found.recipe)
  return found
}

test('what suits the images is found out', async () => {
  const { recipe, training, warnings } = await prepared(method('vae'), 3, { training: await images(100) })
  assert.deepEqual([training.kind, training.count, warnings], ['images', 100, []])
  assert.deepEqual(recipe, {
    method: 'vae',
    seed: 3,
    side: 16,
    hidden: [32, 64],
    latents: 16,
    beta: 1,
    condition: 'none',
    flips: false,
    batch: 16,
    epochs: 800,
    rate: 0.001,
    validation: 0.1,
    patience: 10,
  })
  const grey = await prepared(method('gan'), 3, { training: await images(9, { side: 40, grey: true, folders: true }) })
  assert.deepEqual([grey.training.kind === 'images' && grey.training.channels, grey.recipe.batch], [1, 2])
  if (grey.recipe.method !== 'gan') assert.fail('another method')
  const { condition, matching, side, hidden } = grey.recipe
  assert.deepEqual([condition, matching, side, hidden], ['class', 0, 32, [128, 64, 32]])
  const both = await images(9, { side: 10, folders: true, captions: true })
  const told = await prepared(method('gan'), 3, { training: both })
  if (told.recipe.method !== 'gan') assert.fail('another method')
  assert.deepEqual([told.recipe.condition, told.recipe.matching, told.recipe.side], ['caption', 10, 8])
})

test('what is given is taken', async () => {
  const options = { n_epochs: 7, batch_size: 4, learning_rate_multiplier: 0.5, image_size: 8, channels: 3, latents: 5 }
  const both = await images(20, { folders: true, captions: true })
  const { recipe } = await prepared(method('vae', { ...options, beta: 2, condition: 'class' }), 1, { training: both })
  if (recipe.method !== 'vae') assert.fail('another method')
  const { epochs, batch, rate, side, latents, beta, condition } = recipe
  assert.deepEqual([epochs, batch, rate, side, latents, beta, condition], [7, 4, 0.0005, 8, 5, 2, 'class'])
})

test('a table is learned in its numbers, and its label is not', async () => {
  const { recipe, training, validation, warnings } = await prepared(method('autoencoder', { label: 'bad' }), 1, {
    training: table(50),
    validation: table(20),
  })
  if (training.kind !== 'rows' || recipe.method !== 'autoencoder') assert.fail('not rows')
  assert.deepEqual(
    training.columns.map(({ name }) => name),
    ['x', 'y'],
  )
  assert.deepEqual([training.labels?.length, validation?.count], [50, 20])
  assert.deepEqual(warnings, ["Column 'when' is left out: it does not begin with a number."])
  assert.deepEqual([recipe.latents, recipe.hidden, recipe.batch, recipe.alarms], [1, [16, 8], 8, 0.01])
})

test('an autoencoder is of images too, and without noise a denoiser', async () => {
  const training = await images(30)
  const scorer = await prepared(method('autoencoder', { alarms: 0.05 }), 1, { training })
  if (scorer.recipe.method !== 'image-autoencoder') assert.fail('another method')
  const { alarms, noise, latents, layers, hidden } = scorer.recipe
  assert.deepEqual([alarms, noise, latents, layers, hidden], [0.05, 0, 16, 'dense', [128]])
  const { recipe } = await prepared(method('autoencoder', { objective: 'denoise', noise: 0.2 }), 1, { training })
  if (recipe.method !== 'denoiser') assert.fail('another method')
  assert.deepEqual([recipe.noise, recipe.hidden], [0.2, [24, 48]])
})

test('data that does not do is refused with a sentence', async () => {
  const zip = await images(6)
  const refused = async (given: ReturnType<typeof method>, training: string, message: RegExp, validation?: string) => {
    await assert.rejects(prepare(given, 1, { training, validation }), (error) => {
      assert.ok(error instanceof DataSetError, String(error))
      assert.match(error.message, message)
      return true
    })
  }
  await refused(method('vae'), table(5), /not a zip archive/)
  await refused(method('autoencoder', { objective: 'denoise' }), table(5), /A denoiser learns from images/)
  await refused(method('autoencoder', { objective: 'denoise', noise: 0 }), zip, /needs a noise above 0/)
  await refused(method('vae', { condition: 'class' }), zip, /have no classes/)
  await refused(method('gan', { condition: 'caption' }), zip, /have no captions/)
  await refused(method('vae', { batch_size: 6 }), zip, /has 5 items to train on, fewer than the batch_size 6/)
  await refused(method('autoencoder', { columns: ['z'] }), table(5), /no column 'z'/)
  await refused(method('autoencoder'), table(5), /no column 'y'; the table has/, table(5, 'when,x,z,bad'))
})

test('pairs of sentences make a recipe for a new model', async () => {
  const lines = (count: number) => [
    'en\tfr',
    ...Array.from({ length: count }, (_, i) => `This is the sentence ${i}\tVoici la phrase ${i}`),
  ]
  const memory = file(lines(3_000).join('\n'))
  const asked = (hyperparameters: object = {}) =>
    v.parse(trainingMethodSchema, {
      type: 'translation',
      translation: { source_language: 'en', target_language: 'fr', hyperparameters },
    })
  const { recipe, training } = await prepared(asked({ width: 96, layers: 2, n_epochs: 4 }), 5, { training: memory })
  assert.ok(recipe.method === 'translation' && training.kind === 'pairs')
  assert.deepEqual(training.languages, { source: 'en', target: 'fr' })
  const { width, heads, hidden, encoderLayers, decoderLayers, epochs, seed, base } = recipe
  assert.deepEqual([width, heads, hidden, encoderLayers, decoderLayers], [96, 1, 384, 2, 2])
  assert.deepEqual([epochs, seed, base], [4, 5, undefined])
  // A small memory is gone through often, in small batches.
  const small = (await prepared(asked(), 5, { training: file(lines(100).join('\n')) })).recipe
  assert.deepEqual([small.epochs, small.batch], [50, 1])
  const few = { training: memory, validation: file(lines(600).join('\n')) }
  const { validation, warnings } = await prepared(asked(), 5, few)
  assert.equal(validation?.count, 500)
  assert.match(warnings.join(), /Of the 600 pairs of the validation file the first 500 validate/)
  await assert.rejects(
    prepare(asked(), 5, { training: file(lines(9).join('\n')) }),
    (error) => error instanceof DataSetError && /has 9 pairs of en and fr; at least 10 are needed/.test(error.message),
  )
})
