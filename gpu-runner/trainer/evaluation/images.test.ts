import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../random.ts'
import { sheet } from '../tasks/sheet.ts'
import { retrieval } from './retrieval.ts'
import { diversity, slicedWasserstein } from './sliced-wasserstein.ts'
import { variety } from './variety.ts'

const random = new Random(4)
const normals = (length: number) => random.normals(new Float32Array(length))

test('the sliced Wasserstein distance of sets that are moved apart is how far, seen along all directions', () => {
  const points = normals(400)
  assert.equal(slicedWasserstein(points, points, 4), 0)
  // In another order they are the same set.
  const turned = Float32Array.from(points, (_, i) => points[(i + 4) % 400] ?? 0)
  assert.equal(slicedWasserstein(points, turned, 4), 0)
  // Along a direction u of length 1, sets that are v apart are u · v apart: over all four axes that adds up to |v|².
  const squares = [0, 1, 2, 3].map((axis) => {
    const moved = points.map((x, i) => x + (i % 4 === axis ? 3 : 0))
    return slicedWasserstein(points, moved, 4) ** 2
  })
  assert.ok(Math.abs(squares.reduce((a, b) => a + b) - 9) < 1e-4)
})

test('images that are all the same have no diversity', () => {
  assert.equal(diversity(Float32Array.of(1, 2, 1, 2, 1, 2), 2), 0)
  assert.equal(diversity(Float32Array.of(0, 5, 2, 5), 2), 0.5)
})

test('drawings of one thing differ by a share of what real images do', () => {
  const real = Float32Array.of(0, 0, 3, 4, 0, 0)
  assert.equal(variety(real, real, real, 2), 0)
  // Apart by 1 each, where those are by 5, 5 and 0.
  const beside = real.map((x, i) => x + (i % 2))
  assert.ok(Math.abs(variety(real, beside, real, 2) - 3 / 10) < 1e-6)
})

test('an image is found by its own, among others', () => {
  const size = { channels: 1, height: 16, width: 16 }
  const real = normals(5 * 256)
  assert.equal(retrieval(real, real, size), 1)
  assert.equal(
    retrieval(
      real.map((x, i) => x + (i % 2 ? 0.2 : -0.2)),
      real,
      size,
    ),
    1,
  )
  const swapped = Float32Array.from(real, (_, i) => real[(i + 256) % real.length] ?? 0)
  assert.equal(retrieval(swapped, real, size), 0)
  // The fourth and fifth made images are like no other than their own.
  const some = Float32Array.from(real, (x, i) => (i < 3 * 256 ? (real[(i + 256) % (3 * 256)] ?? 0) : x))
  assert.equal(retrieval(some, real, size), 0.4)
})

test('a sheet has images side by side, in rows', () => {
  const planes = Float32Array.of(0, 1, 0.5, 2, -1, 0.2)
  const made = sheet(planes, { channels: 1, height: 1, width: 2 }, 2)
  assert.deepEqual([made.width, made.height, made.channels], [4, 2, 1])
  assert.deepEqual([...made.pixels], [0, 255, 128, 255, 0, 51, 255, 255])
  const colours = sheet(Float32Array.of(1, 0, 0, 1, 0, 0), { channels: 3, height: 1, width: 2 }, 1)
  assert.deepEqual([...colours.pixels], [255, 0, 0, 0, 255, 0])
})
