import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../random.ts'
import { fits, pack } from './packing.ts'

const lengths = { source: 24, target: 32 }
const random = new Random(3)
const pairs = Array.from({ length: 2000 }, (_, i) => {
  const length = 1 + Math.floor(15 * random.uniform())
  return { source: Array<number>(length).fill(i), target: Array<number>(1 + Math.floor(1.3 * length)).fill(i) }
})

test('each pair is in one line, and no line is over', () => {
  const lines = pack(pairs, lengths)
  const seen = lines.flat().map(({ source }) => source[0])
  assert.deepEqual(
    seen.toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    pairs.map((_, i) => i),
  )
  const sum = (line: (typeof lines)[number], side: 'source' | 'target') =>
    line.reduce((total, pair) => total + pair[side].length, 0)
  for (const line of lines) assert.ok(sum(line, 'source') <= 24 && sum(line, 'target') <= 32)
  const filled = lines.reduce((total, line) => total + sum(line, 'target'), 0) / (32 * lines.length)
  assert.ok(filled > 0.93, `${filled}`)
})

test('what is longer than a line fits none', () => {
  assert.ok(fits({ source: Array(24), target: Array(32) }, lengths))
  assert.ok(!fits({ source: Array(25), target: Array(1) }, lengths))
  assert.ok(!fits({ source: Array(1), target: Array(33) }, lengths))
})
