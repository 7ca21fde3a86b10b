import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uniform } from './random.ts'
import { distanceOf, massesAndMeanOf, massesOf, scaleOf, weightAt } from './weights.ts'

test('a weight is the exponential of the distance in temperatures', () => {
  for (const temperature of [0.3, 1, 2]) {
    const scale = scaleOf(5, temperature)
    for (let logit = 5; logit > 5 - 63.9 * temperature; logit -= 0.00917) {
      const exact = Math.exp((logit - 5) / temperature)
      assert.ok(Math.abs(weightAt(distanceOf(logit, scale)) - exact) <= 3e-8 * exact, String(logit))
    }
    assert.equal(weightAt(distanceOf(5 - 64.1 * temperature, scale)), 0)
    assert.equal(weightAt(distanceOf(Number.NEGATIVE_INFINITY, scale)), 0)
  }
})

test('the masses of all levels are the sum of all weights, and the mean is the weighted distance', () => {
  const logits = Float32Array.from({ length: 5000 }, (_, i) => 30 * uniform(1, i) - 10)
  logits[7] = Number.NEGATIVE_INFINITY
  const peak = Math.max(...logits)
  const scale = scaleOf(peak, 0.7)
  const { levels, total, mean } = massesAndMeanOf(logits, scale)
  assert.deepEqual(massesOf(logits, scale), { levels, total })
  let [sum, moment] = [0, 0]
  for (const logit of logits) {
    const exact = Math.exp((logit - peak) / 0.7)
    sum += exact
    if (exact > 0) moment += (exact * (peak - logit)) / 0.7
  }
  assert.ok(Math.abs(total / sum - 1) < 1e-7)
  assert.ok(Math.abs(levels.reduce((a, b) => a + b) / sum - 1) < 1e-7)
  // 64 steps halve a weight.
  assert.ok(Math.abs((mean * Math.LN2) / 64 / (moment / sum) - 1) < 1e-6)
})
