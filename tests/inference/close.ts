import assert from 'node:assert/strict'

/** Of the same length, and nowhere further apart than `tolerance`. */
export function assertClose(actual: Iterable<number>, expected: Iterable<number>, tolerance: number): void {
  const [a, b] = [[...actual], [...expected]]
  assert.equal(a.length, b.length)
  for (const [i, value] of a.entries()) {
    const wanted = b[i] ?? Number.NaN
    assert.ok(Math.abs(value - wanted) <= tolerance, `${i}: ${value}, not ${wanted}`)
  }
}
