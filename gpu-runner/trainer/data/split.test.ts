import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageSet, RowSet } from './data-set.ts'
import { Batches, shares, split, together } from './split.ts'

test('a split has each item once, and is the same for the same seed', () => {
  const { training, validation } = split(50, 0.1, 3)
  assert.deepEqual([training.length, validation.length], [45, 5])
  assert.deepEqual(
    [...training, ...validation].sort((a, b) => a - b),
    [...Array(50).keys()],
  )
  assert.deepEqual(split(50, 0.1, 3), { training, validation })
  assert.notDeepEqual(split(50, 0.1, 4), { training, validation })
  assert.deepEqual([split(2, 0.01, 1).validation.length, split(2, 0.99, 1).training.length], [1, 1])
})

test('an epoch has each item once, in an order of its own', () => {
  const batches = new Batches(
    Uint32Array.from({ length: 12 }, (_, i) => i + 5),
    4,
    1,
  )
  const epoch = (first: number) => [0, 1, 2].flatMap((i) => [...batches.at(first + i)])
  const [one, two] = [epoch(1), epoch(4)]
  assert.deepEqual(
    one.toSorted((a, b) => a - b),
    [...Array(12).keys()].map((i) => i + 5),
  )
  assert.notDeepEqual(one, two)
  assert.deepEqual(epoch(1), one)
})

const rows = (values: number[], names = ['a', 'b']): RowSet => ({
  kind: 'rows',
  count: values.length / 2,
  columns: names.map((name) => ({ name })),
  values: Float32Array.from(values),
  labels: Uint8Array.from({ length: values.length / 2 }, () => 1),
})
const images = (count: number, classes = ['cat', 'dog']): ImageSet => ({
  kind: 'images',
  count,
  channels: 1,
  height: 1,
  width: 1,
  pixels: new Uint8Array(count).fill(count),
  classes,
  labels: new Int32Array(count).fill(1),
})

test('validation data of its own lies behind the training data', () => {
  const { data, parts } = together(rows([1, 2, 3, 4]), rows([5, 6]))
  assert.deepEqual(parts, { training: Uint32Array.of(0, 1), validation: Uint32Array.of(2) })
  assert.deepEqual(data, rows([1, 2, 3, 4, 5, 6]))
  const both = together(images(2), images(1))
  assert.deepEqual(both.data, { ...images(3), pixels: Uint8Array.of(2, 2, 1) })
  assert.throws(() => together(rows([1, 2]), rows([1, 2], ['a', 'c'])), {
    name: 'DataSetError',
    message: "The validation data has the columns 'a, c', the training data 'a, b'.",
  })
  assert.throws(() => together(images(2), images(2, ['cat'])), { message: /has the classes 'cat', the training data/ })
  assert.throws(() => together(images(2), rows([1, 2])), { message: /of another kind/ })
})

test('each epoch has its share of what is seen once', () => {
  const items = Array.from({ length: 100 }, (_, i) => i)
  const parts = shares(items, 3, 1)
  assert.deepEqual(
    parts.map((part) => part.length),
    [33, 33, 33],
  )
  assert.equal(new Set(parts.flat()).size, 99)
  assert.notDeepEqual(parts, shares(items, 3, 2))
  assert.deepEqual(shares([], 3, 1), [[], [], []])
})
