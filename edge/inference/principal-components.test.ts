import assert from 'node:assert/strict'
import { test } from 'node:test'
import { principalPlane } from './principal-components.ts'
import cases from './testdata/pca.json' with { type: 'json' }

for (const [name, { rows, points, explained }] of Object.entries(cases)) {
  test(`points are where numpy's singular value decomposition puts them: ${name}`, () => {
    const plane = principalPlane(rows)
    for (const [i, point] of plane.points.entries()) {
      for (const axis of [0, 1] as const) {
        // Of two points the second axis is any, and nothing lies along it.
        assert.ok(Math.abs(point[axis] - (points[i]?.[axis] ?? Number.NaN)) < 1e-5, `${i}: ${point}, ${points[i]}`)
      }
    }
    for (const axis of [0, 1] as const) assert.ok(Math.abs(plane.explained[axis] - (explained[axis] ?? 0)) < 1e-9)
  })
}

test('what does not differ lies in one place, and one column on a line', () => {
  assert.deepEqual(principalPlane([[1, 2, 3]]), { points: [[0, 0]], explained: [0, 0] })
  const same = principalPlane(Array.from({ length: 5 }, () => [1, 2]))
  assert.deepEqual(same.explained, [0, 0])
  const line = principalPlane([[1], [2], [6]])
  assert.deepEqual(
    line.points.map(([x, y]) => [Math.round(x * 1e9) / 1e9, y]),
    [
      [-2, 0],
      [-1, 0],
      [3, 0],
    ],
  )
  assert.ok(Math.abs(line.explained[0] - 1) < 1e-12)
  assert.equal(line.explained[1], 0)
})
