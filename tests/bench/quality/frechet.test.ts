import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '#gpu-runner/trainer/random.ts'
import { frechetDistance } from './frechet.ts'

/** Points whose sample mean is `mean`, and whose sample covariance is diagonal, times a rotation by an angle. */
function points([mx, my]: [number, number], [sx, sy]: [number, number], angle = 0): Float32Array {
  // The corners of a cross: variances of 2/3 each, no covariance.
  const cross = [1, 0, -1, 0, 0, 1, 0, -1]
  const out = new Float32Array(8)
  for (let i = 0; i < 4; i++) {
    const [x, y] = [(cross[2 * i] ?? 0) * sx, (cross[2 * i + 1] ?? 0) * sy]
    out[2 * i] = mx + x * Math.cos(angle) - y * Math.sin(angle)
    out[2 * i + 1] = my + x * Math.sin(angle) + y * Math.cos(angle)
  }
  return out
}

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-5, `${actual}`)

test('the distance of normal distributions is what the formula says', () => {
  near(frechetDistance(points([1, 2], [1, 3]), points([1, 2], [1, 3]), 2), 0)
  // Of distributions along the same axes: differences of means and of deviations, squared.
  near(frechetDistance(points([0, 0], [1, 2]), points([3, 4], [4, 1]), 2), 25 + (2 / 3) * (9 + 1))
  const turned = frechetDistance(points([0, 0], [1, 2], 0.7), points([0, 0], [4, 1], 0.7), 2)
  near(turned, (2 / 3) * (9 + 1))
  // A quarter turn swaps the axes.
  near(frechetDistance(points([0, 0], [1, 3]), points([0, 0], [3, 1], Math.PI / 2), 2), 0)
})

test('it does not depend on the axes that features are seen along', () => {
  const random = new Random(1)
  const [a, b] = [random.normals(new Float32Array(300)), random.normals(new Float32Array(240), 2)]
  const mixed = (rows: Float32Array) =>
    rows.map((_, i) => {
      const [x, y, z] = rows.subarray(i - (i % 3), i - (i % 3) + 3)
      return [0.6 * (x ?? 0) - 0.8 * (z ?? 0), y ?? 0, 0.8 * (x ?? 0) + 0.6 * (z ?? 0)][i % 3] ?? 0
    })
  near(frechetDistance(mixed(a), mixed(b), 3), frechetDistance(a, b, 3))
})
