import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WritePace } from './write-pace.ts'

/** Writers that each write as soon as they may, on a disk that takes `tookMs` of the one thread; the share that writing takes. */
function share(writers: number, tookMs: number): number {
  const pace = new WritePace()
  const next = Array.from({ length: writers }, (_, i) => ({ at: i, id: {} }))
  let now = 0
  let writing = 0
  const [from, to] = [20_000, 60_000]
  while (now < to) {
    next.sort((a, b) => a.at - b.at)
    const [writer] = next
    assert.ok(writer)
    now = Math.max(now, writer.at) + tookMs
    if (now > from) writing += tookMs
    writer.at = now + pace.wrote(writer.id, tookMs, now)
  }
  return writing / (to - from)
}

test('however many write, and however slow the disk, writing takes half of the time at most', () => {
  for (const [writers, tookMs] of [
    [1, 0.3],
    [50, 0.3],
    [200, 0.3],
    [200, 3],
  ] as const) {
    const taken = share(writers, tookMs)
    assert.ok(taken > 0.25 && taken < 0.55, `${writers} of ${tookMs} ms: ${taken}`)
  }
})

test('who has ended is forgotten', () => {
  const pace = new WritePace()
  for (let i = 0; i < 200; i++) pace.wrote({}, 1, i)
  const one = {}
  let rest = 0
  for (let now = 1_000; now < 10_000; now += 100) rest = pace.wrote(one, 1, now)
  assert.ok(rest <= 2, `${rest} ms`)
})
