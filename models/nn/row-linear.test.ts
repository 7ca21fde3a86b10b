import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantizeRows } from './row-linear.ts'

test('a row has its codes by its greatest magnitude, and they are turned', () => {
  const { codes, scales } = quantizeRows(Float32Array.of(127, -64, 1, 0, 0, 0, -2.54, 1.27, 0.02), 3)
  assert.deepEqual([...codes], [255, 128, 1, 64, 128, 192, 129, 128, 129])
  assert.ok([1, 0, 0.02].every((scale, row) => Math.abs(scale - (scales[row] ?? Number.NaN)) < 1e-6))
})
