import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directionsFrom, probes } from './directions.ts'
import { dot, normalVector, plus, spherical, symmetricEigenvectors, type Vector } from './vectors.ts'

function close(actual: number | undefined, expected: number, tolerance = 1e-9): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`)
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

test('eigenvectors of a symmetric matrix are what the matrix only stretches, and stand at right angles', () => {
  const random = randomFrom(1)
  const size = 24
  const rows = Array.from({ length: size }, () => normalVector(size, random))
  const matrix = rows.map((a) => rows.map((b) => dot(a, b)))
  const found = symmetricEigenvectors(matrix)
  const trace = matrix.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)
  close(found.reduce((sum, { value }) => sum + value, 0) / trace, 1)
  for (const [i, { vector, value }] of found.entries()) {
    if (i > 0) assert.ok(value <= (found[i - 1]?.value ?? 0))
    const stretched = matrix.map((row) => dot(row, vector))
    for (const [j, number] of stretched.entries()) close(number, value * (vector[j] ?? 0), 1e-8)
    for (const [j, other] of found.entries()) close(dot(vector, other.vector), i === j ? 1 : 0)
  }
})

test('2 × 2: known by heart', () => {
  const [first, second] = symmetricEigenvectors([
    [2, 1],
    [1, 2],
  ])
  close(first?.value, 3)
  close(second?.value, 1)
  close(Math.abs(first?.vector[0] ?? 0), Math.SQRT1_2)
})

test('the direction that changes most comes first, whatever the axes', () => {
  // What is decoded hangs on z·d alone, and a little on another direction at a right angle to it.
  const main: Vector = [0.6, 0, -0.8]
  const other: Vector = [0, 1, 0]
  const decode = (z: Vector): number[] => [5 * dot(z, main), 2 * dot(z, other), 7]
  const [first, second, third] = directionsFrom(probes(3).map(decode))
  close(Math.abs(dot(first?.vector ?? [], main)), 1)
  close(Math.abs(dot(second?.vector ?? [], other)), 1)
  close(first?.share, 25 / 29)
  close(third?.share, 0)
  assert.equal(
    Math.max(...(first?.vector.map(Math.abs) ?? [])),
    Math.max(...(first?.vector ?? [])),
    'its largest number is positive',
  )
})

test('many latents keep their axes, in order', () => {
  const size = 130
  const decode = (z: Vector): number[] => z.map((value, i) => value * (i + 1))
  const found = directionsFrom(probes(size).map(decode))
  assert.equal(found.length, size)
  assert.equal(found[0]?.vector[size - 1], 1)
  assert.equal(found[size - 1]?.vector[0], 1)
})

test('an arc begins and ends where it should, and keeps its length', () => {
  const a: Vector = [3, 0]
  const b: Vector = [0, 3]
  assert.deepEqual(spherical(a, b, 0), [3, 0])
  const middle = spherical(a, b, 0.5)
  close(middle[0], 3 * Math.SQRT1_2)
  close(middle[1], 3 * Math.SQRT1_2)
  close(dot(spherical(a, b, 1), b), 9)
  assert.deepEqual(spherical([0, 0], [2, 4], 0.5), [1, 2], 'from the origin it is a line')
  assert.deepEqual(plus([1, 2], [10, 20], 0.5), [6, 12])
})

test('random points are normal', () => {
  const values = normalVector(20_000, randomFrom(7))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  close(mean, 0, 0.03)
  close(variance, 1, 0.05)
})
