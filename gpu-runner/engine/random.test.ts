import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitMix64, uniform } from './random.ts'

test('SplitMix64 gives the published sequence for seed 1234567', () => {
  // https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
  const published = [
    6457827717110365317n,
    3203168211198807973n,
    9817491932198370423n,
    4593380528125082431n,
    16408922859458223821n,
  ]
  assert.deepEqual(
    published.map((_, i) => splitMix64(1234567n, i)),
    published,
  )
})

test('uniform numbers lie in [0, 1) and average a half', () => {
  const numbers = Array.from({ length: 10_000 }, (_, i) => uniform(-7, i))
  assert.ok(numbers.every((x) => x >= 0 && x < 1))
  const mean = numbers.reduce((a, b) => a + b) / numbers.length
  assert.ok(Math.abs(mean - 0.5) < 0.015, `mean ${mean}`)
})
