import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broughtIntoView, nearest, neighbour, seenAt, wholeMap, zoomed } from './map-view.ts'

const POINTS = [
  { x: -10, y: 0 },
  { x: 10, y: 0 },
  { x: 0, y: 5 },
  { x: 0, y: -5 },
]
const SIZE = { width: 480, height: 280 }

test('the whole map is in the middle, and all of it is seen', () => {
  const view = wholeMap(POINTS, SIZE)
  assert.deepEqual(view, { scale: 20, x: 240, y: 140 })
  assert.deepEqual(seenAt(view, { x: -10, y: 5 }), { x: 40, y: 240 })
  const one = wholeMap([{ x: 3, y: 4 }], SIZE)
  assert.deepEqual(seenAt(one, { x: 3, y: 4 }), { x: 240, y: 140 })
})

test('zooming keeps what is under the pointer there, and has bounds', () => {
  const whole = wholeMap(POINTS, SIZE)
  const at = seenAt(whole, { x: 10, y: 0 })
  const near = zoomed(whole, at, 4, whole)
  assert.equal(near.scale, 80)
  assert.deepEqual(seenAt(near, { x: 10, y: 0 }), at)
  assert.deepEqual(zoomed(near, at, 0.001, whole), whole)
  assert.equal(zoomed(near, at, 1e6, whole).scale, 64 * whole.scale)
})

test('the nearest point is within reach, or there is none', () => {
  const view = wholeMap(POINTS, SIZE)
  assert.equal(nearest(POINTS, view, { x: 437, y: 143 }, 10), 1)
  assert.equal(nearest(POINTS, view, { x: 300, y: 140 }, 10), null)
})

test('arrows go to the nearest point that way, and stay where there is none', () => {
  assert.equal(neighbour(POINTS, 0, { x: 1, y: 0 }), 2)
  assert.equal(neighbour(POINTS, 3, { x: 0, y: 1 }), 2)
  assert.equal(neighbour(POINTS, 0, { x: -1, y: 0 }), null)
})

test('a point that is out of sight is brought into it', () => {
  const whole = wholeMap(POINTS, SIZE)
  const near = zoomed(whole, { x: 0, y: 0 }, 8, whole)
  const seen = seenAt(broughtIntoView(near, { x: 10, y: 0 }, SIZE), { x: 10, y: 0 })
  assert.ok(seen.x <= SIZE.width && seen.y <= SIZE.height && seen.x >= 0 && seen.y >= 0)
  assert.deepEqual(broughtIntoView(whole, { x: 0, y: 5 }, SIZE), whole)
})
