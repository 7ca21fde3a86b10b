import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conditionOf, sizeOf } from './condition.ts'
import { hashedWords } from './hashed-words.ts'

const CLASSES = { kind: 'classes', names: ['T-shirt', 'Dress', 'Bag'] } as const

test('a text is its hashed words, and of the empty text nothing', () => {
  const conditions = { kind: 'text', size: 16 } as const
  assert.equal(sizeOf(conditions), 16)
  assert.deepEqual(conditionOf(conditions, 'red apple', 1), hashedWords('red apple', 16))
  assert.deepEqual(conditionOf(conditions, '', 1), new Float32Array(16))
})

test('a class is found by its name, and no other is', () => {
  assert.equal(sizeOf(CLASSES), 3)
  assert.deepEqual(conditionOf(CLASSES, ' dress ', 1), Float32Array.of(0, 1, 0))
  assert.equal(conditionOf(CLASSES, 'shoe', 1), null)
})

test('no class means any, each as often as the others, and the same by the same seed', () => {
  const counts = [0, 0, 0]
  for (let seed = 0; seed < 3000; seed++) {
    const vector = conditionOf(CLASSES, '', seed)
    assert.deepEqual(conditionOf(CLASSES, '', seed), vector)
    const at = vector?.indexOf(1) ?? -1
    counts[at] = (counts[at] ?? 0) + 1
  }
  // Five standard deviations of 3,000 draws.
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(3000 * (1 / 3) * (2 / 3)), `${counts}`)
})
