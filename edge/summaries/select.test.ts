import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byVectors, byWords } from './likeness.ts'
import { select } from './select.ts'

const sentences = [
  'The harbour was closed by the storm.',
  'A storm closed the harbour.',
  'Fishermen lost their boats in the storm.',
  'Lunch was soup.',
]
const words = sentences.map((sentence) => sentence.split(' ').length)
const likeness = byWords(sentences)

test('sentences with the same words are alike, with none in common not at all', () => {
  assert.ok(likeness.between(0, 1) > 0.5, String(likeness.between(0, 1)))
  assert.ok(likeness.between(1, 2) < 0.3)
  assert.equal(likeness.between(1, 3), 0)
  assert.ok(Math.abs(likeness.between(2, 2) - 1) < 1e-9)
  assert.ok(likeness.toWhole(0) > likeness.toWhole(3))
})

test('what is like the whole is taken, what is said already is not', () => {
  assert.deepEqual(select(words, likeness, { sentences: 1 }), [0])
  assert.deepEqual(select(words, likeness, { sentences: 2 }), [0, 2])
  assert.deepEqual(select(words, likeness, { sentences: 9 }), [0, 1, 2, 3])
  assert.deepEqual(select([], byWords([]), { sentences: 3 }), [])
})

test('so many words, or one sentence if none is so short', () => {
  assert.deepEqual(select(words, likeness, { words: 14 }), [0, 2])
  assert.deepEqual(select(words, likeness, { words: 10 }), [0, 3])
  assert.deepEqual(select(words, likeness, { words: 1 }), [0])
})

test('vectors are compared by their directions', () => {
  const [right, up] = [Float32Array.of(1, 0), Float32Array.of(0, 1)]
  const made = byVectors([right, up, right])
  assert.deepEqual([made.between(0, 1), made.between(0, 2)], [0, 1])
  assert.ok(Math.abs(made.toWhole(0) - 2 / Math.sqrt(5)) < 1e-6)
})
