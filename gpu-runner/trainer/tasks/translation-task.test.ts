/** A small model of a made-up language, trained here, on real sessions. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import * as v from 'valibot'
import { publishedTranslationSchema } from '#protocol/published-model.ts'
import { loadTranslator } from '../../pipelines/translation/load-translator.ts'
import { tokenizerOf } from '../../pipelines/translation/stored-model.ts'
import { aroundWords, cutTokens } from '../../pipelines/translation/text-translator.ts'
import { Runtime } from '../../runtime/runtime.ts'
import type { PairSet } from '../data/data-set.ts'
import { makeModel } from '../make-model.ts'
import { Random } from '../random.ts'
import type { Recipe } from '../recipe.ts'

const ort = new Runtime({ threads: 1 })

const WORDS = ['open', 'file', 'the', 'cell', 'row', 'sheet', 'Calc', 'save']
const THEIRS = ['ouvrir', 'fichier', 'le', 'cellule', 'ligne', 'feuille', 'Calc', 'garder']

/** Word by word, each another one. */
function pairs(count: number, seed: number): PairSet {
  const random = new Random(seed)
  const lines = Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(6 * random.uniform()) }, () => Math.floor(WORDS.length * random.uniform())),
  )
  const written = (words: readonly string[]) => lines.map((line) => line.map((word) => words[word]).join(' '))
  return {
    kind: 'pairs',
    count,
    languages: { source: 'en', target: 'fr' },
    source: written(WORDS),
    target: written(THEIRS),
  }
}

const recipe: Recipe = {
  ...{ method: 'translation', vocabulary: 512, width: 32, heads: 2, hidden: 64, encoderLayers: 1, decoderLayers: 1 },
  ...{ length: 48, batch: 8, epochs: 12, rate: 1e-2, warmup: 20, smoothing: 0, dropout: 0, placeholders: 0.5 },
  ...{ seed: 1, validation: 0.05 },
}
const source = { description: 'Made up', licence: 'CC0-1.0' }
const options = { id: 'm', owner: null, description: 'Made for a test', checkpoint: undefined }
const made = await makeModel(ort, { recipe, training: pairs(1500, 1), test: pairs(40, 2), source }, options)
assert.ok(made && made.manifest.parts.family === 'translation')
const [vocabulary, encoder, decoder] = made.files as [Uint8Array, Uint8Array, Uint8Array]
const { parts, card } = made.manifest
const translator = loadTranslator(ort, parts, { vocabulary, encoder, decoder })
const tokenizer = tokenizerOf(JSON.parse(new TextDecoder().decode(vocabulary)) as string[])
after(() => {
  translator[Symbol.dispose]()
  ort[Symbol.dispose]()
})

const always = () => true
const translate = (texts: readonly string[], beam = 4, alternatives = 0) =>
  translator.translate(texts, { beam, alternatives, isWanted: always }) ?? assert.fail('it was not wanted')
const textsOf = (texts: readonly string[], beam?: number) => translate(texts, beam).map(({ text }) => text)

test('the manifest is one, and names the files', () => {
  assert.deepEqual(v.parse(publishedTranslationSchema, made.manifest), made.manifest)
  const hashes = made.files.map((file) => createHash('sha256').update(file).digest('hex'))
  assert.deepEqual([parts.vocabulary.sha256, parts.encoder.sha256, parts.decoder.sha256], hashes)
  const measures = ['bleu', 'chrf']
  assert.deepEqual(Object.keys(card.metrics), [
    ...measures.map((name) => `validation.${name}`),
    ...[...measures, 'bleu_greedy', 'chrf_greedy'].map((name) => `test.${name}`),
  ])
})

test('what was learned is what is translated, greedily and by a beam', () => {
  const unseen = pairs(60, 3)
  for (const beam of [1, 4]) {
    const right = textsOf(unseen.source, beam).filter((text, i) => text === unseen.target[i]).length
    assert.ok(right >= 57, `${right} of 60 with a beam of ${beam}`)
  }
  assert.ok((card.metrics['test.bleu'] ?? 0) > 90 && (card.metrics['test.chrf'] ?? 0) > 90)
  assert.ok((card.metrics['validation.bleu'] ?? 0) > 90)
})

test('a text is translated alone as in company', () => {
  const unseen = pairs(40, 4).source
  const together = textsOf(unseen)
  assert.deepEqual(
    unseen.map((text) => textsOf([text])[0]),
    together,
  )
  assert.deepEqual(textsOf(unseen.toReversed()).toReversed(), together)
})

test('tokens are counted, and other translations are other ones', () => {
  const [one] = translate(['open the file'], 4, 3)
  assert.equal(one?.text, 'ouvrir le fichier')
  assert.equal(one?.alternatives.length, 3)
  assert.equal(new Set([one?.text, ...(one?.alternatives ?? [])]).size, 4)
  assert.deepEqual([one?.read, one?.tokens], [3, 3])
})

test('placeholders come through, each once, whatever their number', () => {
  for (const text of ['open ⟦3⟧ the', '⟦15⟧', 'save ⟦0⟧ file ⟦7⟧', '⟦1⟧⟦2⟧']) {
    const wanted = text.match(/⟦\d+⟧/g) ?? []
    const [found = ''] = textsOf([text])
    assert.deepEqual((found.match(/⟦\d+⟧/g) ?? []).toSorted(), wanted.toSorted(), found)
  }
  assert.ok(textsOf(pairs(20, 5).source).every((text) => !text.includes('⟦')))
})

test('what is longer than a sentence may be is translated in parts', () => {
  const words = Array.from({ length: 150 }, (_, i) => WORDS[i % WORDS.length])
  const [long, unbroken] = translate([words.join(' '), 'x'.repeat(2000)])
  assert.ok((long?.read ?? 0) >= 150 && (unbroken?.read ?? 0) >= 2000)
  assert.ok(long?.text !== '')
  const cut = (text: string, longest: number) =>
    cutTokens(
      [...text].map((letter) => letter.codePointAt(0) ?? 0),
      longest,
      (token) => String.fromCodePoint(token),
    ).map((part) => String.fromCodePoint(...part))
  assert.deepEqual(cut('▁ab,cd▁ef▁gh', 8), ['▁ab,', 'cd▁ef▁gh'])
  assert.deepEqual(cut('▁abcd▁efgh▁ij', 8), ['▁abcd', '▁efgh▁ij'])
  assert.deepEqual(cut('▁abcdefghi', 4), ['▁abc', 'defg', 'hi'])
  assert.deepEqual(cut('▁abc▁d', 4), ['▁abc', '▁d'])
})

test('placeholders around words are told from those beside them', () => {
  const around = (text: string) => [...aroundWords(tokenizer.encode(text), tokenizer.nameOf)]
  // ⟦n⟧ is token n + 1.
  assert.deepEqual(around('open ⟦0⟧the file⟦1⟧ row'), [[2, 1]])
  assert.deepEqual(around('open ⟦0⟧ the ⟦1⟧ row ⟦2⟧⟦3⟧'), [])
  assert.deepEqual(around('⟦4⟧cell⟦5⟧row⟦6⟧'), [
    [6, 5],
    [7, 6],
  ])
})

test('anything is text', () => {
  const hostile = ['😀', 'שלום', '\u0000', '   ', 'a'.repeat(300), '</s>', '⟦99⟧']
  assert.equal(translate(hostile).length, hostile.length)
})

test('what is not wanted any more is not gone on with', () => {
  let steps = 0
  const isWanted = () => ++steps < 3
  assert.equal(translator.translate(pairs(50, 6).source, { beam: 4, alternatives: 0, isWanted }), undefined)
  assert.equal(steps, 3)
})
