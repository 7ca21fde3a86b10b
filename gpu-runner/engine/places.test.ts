import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from './places.ts'

test('one tenant cannot take all places, and those that come after it find some', () => {
  const places = new Places(64)
  const takeAll = (tenant: string) => {
    let count = 0
    while (places.take(tenant)) count++
    return count
  }
  assert.deepEqual(['a', 'b', 'c', 'd'].map(takeAll), [32, 16, 8, 4])
  assert.equal(places.taken, 60)
  assert.equal(places.take('e'), true)
})

test('a place that is left can be taken again', () => {
  const places = new Places(2)
  assert.equal(places.take('a'), true)
  assert.equal(places.take('a'), false)
  places.leave('a')
  assert.equal(places.taken, 0)
  assert.equal(places.take('b'), true)
  assert.throws(() => places.leave('a'), RangeError)
})
