/** A small model of a made-up language, and what becomes of it when it is tuned. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { embeddingSpec } from '#models/architectures/translation.ts'
import { OnnxError } from '#models/importers/onnx-initializers.ts'
import type { PublishedTranslation } from '#protocol/published-model.ts'
import { loadTranslator } from '../../pipelines/translation/load-translator.ts'
import type { TranslationFiles } from '../../pipelines/translation/stored-model.ts'
import { Runtime } from '../../runtime/runtime.ts'
import type { PairSet } from '../data/data-set.ts'
import { type MadeModel, makeModel } from '../make-model.ts'
import { Random } from '../random.ts'
import type { Recipe } from '../recipe.ts'
import type { TrainingEvent } from '../trainer.ts'
import { publishedTranslation } from './published-translation.ts'
import { rehearse } from './rehearsal.ts'
import { translationBase } from './translation-base.ts'

const ort = new Runtime({ threads: 1 })
after(() => ort[Symbol.dispose]())

const WORDS = ['open', 'file', 'the', 'cell', 'row', 'sheet', 'Calc', 'save']
const THEIRS = ['ouvrir', 'fichier', 'le', 'cellule', 'ligne', 'feuille', 'Calc', 'garder']
/** As a customer has it, in words whose parts the model knows. */
const OURS = ['ouvrir', 'feuille', 'le', 'cellule', 'ligne', 'fichier', 'Calc', 'garder']

function pairs(count: number, seed: number, theirs: readonly string[]): PairSet {
  const random = new Random(seed)
  const lines = Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(6 * random.uniform()) }, () => Math.floor(WORDS.length * random.uniform())),
  )
  const written = (words: readonly string[]) => lines.map((line) => line.map((word) => words[word]).join(' '))
  const languages = { source: 'en', target: 'fr' }
  return { kind: 'pairs', count, languages, source: written(WORDS), target: written(theirs) }
}

const shape = { vocabulary: 512, width: 32, heads: 2, hidden: 64, encoderLayers: 1, decoderLayers: 1 }
type TranslationRecipe = Extract<Recipe, { method: 'translation' }>
const recipe: TranslationRecipe = {
  ...{ method: 'translation', ...shape, length: 48, batch: 8, epochs: 12, rate: 1e-2, warmup: 20, smoothing: 0 },
  ...{ dropout: 0, placeholders: 0.2, seed: 1, validation: 0.05 },
}
const source = { description: 'Made up', licence: 'CC0-1.0' }
const options = { owner: null, description: 'Made for a test', checkpoint: undefined }

function modelOf(made: MadeModel | undefined): { model: PublishedTranslation; files: TranslationFiles } {
  assert.ok(made && made.manifest.parts.family === 'translation')
  const [vocabulary, encoder, decoder] = made.files as [Uint8Array, Uint8Array, Uint8Array]
  return { model: { ...made.manifest, parts: made.manifest.parts }, files: { vocabulary, encoder, decoder } }
}
const { model, files } = modelOf(
  await makeModel(ort, { recipe, training: pairs(1500, 1, THEIRS), source }, { ...options, id: 'first' }),
)
const base = translationBase(model, files)

async function tuned(more: Partial<TranslationRecipe>) {
  const events: TrainingEvent[] = []
  const tuning: TranslationRecipe = { ...recipe, rate: 3e-3, epochs: 24, patience: 5, base: 'first', ...more }
  const asked = { recipe: tuning, training: pairs(400, 2, OURS), base, source }
  const made = modelOf(
    await makeModel(ort, asked, { ...options, id: 'second', onEvent: (event) => events.push(event) }),
  )
  return { ...made, events }
}

function share({ model, files }: { model: PublishedTranslation; files: TranslationFiles }, set: PairSet): number {
  using translator = loadTranslator(ort, model.parts, files)
  const found = translator.translate(set.source, { beam: 4, alternatives: 0, isWanted: () => true }) ?? []
  return found.filter(({ text }, i) => text === set.target[i]).length / set.count
}

test('a published model’s weights are had back, but for what 8 bits left of them', () => {
  const { config, checkpoint, pieces } = base
  const { sourceLength, targetLength } = model.parts
  const positions = Math.max(sourceLength, targetLength)
  assert.deepEqual(config, { ...shape, vocabulary: config.vocabulary, positions })
  const { name, shape: table } = embeddingSpec(config)
  const random = new Random(3)
  const exact = new Map([...checkpoint].map(([key, data]) => [key, random.normals(data.slice(), 1)]))
  assert.equal(exact.get(name)?.length, (table[0] ?? 0) * (table[1] ?? 0))
  const { languages } = model.parts
  const again = publishedTranslation(exact, { config, pieces, languages, sourceLength, targetLength })
  const [vocabulary, encoder, decoder] = again.files as [Uint8Array, Uint8Array, Uint8Array]
  const read = translationBase({ ...model, parts: again.parts }, { vocabulary, encoder, decoder })
  assert.deepEqual([...read.checkpoint.keys()].toSorted(), [...exact.keys()].toSorted())
  for (const [key, data] of exact) {
    const found = read.checkpoint.get(key) ?? new Float32Array()
    // Half a step of the greatest of a block; vectors are kept whole.
    const most = key.endsWith('norm.weight') || key.endsWith('bias') ? 0 : Math.max(...data.map(Math.abs)) / 127 / 1.99
    assert.ok(
      data.every((x, i) => Math.abs(x - (found[i] ?? Number.NaN)) <= most),
      key,
    )
  }
})

test('a model that is tuned learns what is new, with its own vocabulary', async () => {
  const theirs = pairs(60, 5, THEIRS)
  const ours = pairs(60, 5, OURS)
  assert.ok(share({ model, files }, theirs) > 0.9)
  const now = await tuned({})
  assert.ok(share({ model, files }, ours) < 0.6 && share(now, ours) > 0.9, `${share(now, ours)}`)
  assert.equal(now.model.parts.vocabulary.sha256, model.parts.vocabulary.sha256)
  const { metrics, recipe: card } = now.model.card
  assert.equal(card.base, 'first')
  assert.ok((metrics['validation.bleu'] ?? 0) > (metrics['validation.bleu_before'] ?? 100))
  assert.ok((metrics['validation.chrf'] ?? 0) > (metrics['validation.chrf_before'] ?? 100))
  // How it was before is the first that is told.
  const validations = now.events.filter((event) => event.type === 'validation')
  assert.equal(validations[0]?.step, 0)
  assert.ok((validations[0]?.metrics.loss ?? 0) > (validations.at(-1)?.metrics.loss ?? 100))
})

test('a tuning that was stopped goes on to the weights that it would have had', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tandem-tuning-'))
  try {
    const asked = { recipe: { ...recipe, epochs: 3, base: 'first' }, training: pairs(400, 2, OURS), base, source }
    const checkpoint = path.join(folder, 'checkpoint')
    const stopping = new AbortController()
    const stop = ({ type, ...event }: TrainingEvent) => {
      if (type === 'validation' && 'step' in event && event.step > 0) stopping.abort()
    }
    const half = { ...options, id: 'second', checkpoint, signal: stopping.signal, onEvent: stop }
    assert.equal(await makeModel(ort, asked, half), undefined)
    const resumed = modelOf(await makeModel(ort, asked, { ...options, id: 'second', checkpoint }))
    const whole = modelOf(await makeModel(ort, asked, { ...options, id: 'second' }))
    assert.deepEqual(resumed.model.parts, whole.model.parts)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('what it knew is what it says, other sentences of it each time', () => {
  const rehearsal = [...new Set(pairs(30, 8, THEIRS).source)]
  const reminded = { ...base, rehearsal }
  const asked = { each: 4, epochs: 3 }
  const { of } = rehearse(ort, reminded, { ...asked, random: new Random(1) })
  const told = [0, 1, 2].flatMap((epoch) => [...of(epoch)])
  assert.equal(new Set(told.map(({ source }) => source)).size, 12)
  using translator = loadTranslator(ort, model.parts, files)
  for (const { source, target } of told) {
    assert.ok(rehearsal.includes(source))
    const [found] = translator.translate([source], { beam: 1, alternatives: 0, isWanted: () => true }) ?? []
    assert.equal(target, found?.text)
  }
  // When all have been there, they come again.
  assert.deepEqual(of(3), of(0))
  assert.deepEqual(rehearse(ort, reminded, { ...asked, random: new Random(1) }).of(1), of(1))
  assert.deepEqual(rehearse(ort, base, { ...asked, random: new Random(1) }).of(0), [])
})

test('what makes it worse is not taken', async () => {
  const now = await tuned({ rate: 3, warmup: 1, epochs: 3 })
  const found = translationBase(now.model, now.files).checkpoint
  for (const [name, data] of base.checkpoint) {
    const same = found.get(name) ?? new Float32Array()
    assert.ok(
      data.every((x, i) => Math.abs(x - (same[i] ?? Number.NaN)) <= 1e-6 * Math.max(1, Math.abs(x))),
      name,
    )
  }
})

test('files that are no such model are refused', () => {
  for (const encoder of [new Uint8Array(), new Uint8Array(100).fill(255), files.encoder.subarray(0, 5000)]) {
    assert.throws(() => translationBase(model, { ...files, encoder }), OnnxError)
  }
})
