import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Breaker } from './breaker.ts'

function opened(now: number): Breaker {
  const breaker = new Breaker()
  for (let i = 0; i < 2; i++) {
    breaker.begin()
    breaker.failed(now)
  }
  return breaker
}

test('opens after two failures on end, and lets one request through after a while', () => {
  const breaker = new Breaker()
  breaker.begin()
  breaker.failed(0)
  assert.ok(breaker.allows(0))
  breaker.begin()
  breaker.failed(0)
  assert.ok(!breaker.allows(499))
  assert.ok(breaker.allows(500))
  breaker.begin()
  assert.ok(!breaker.allows(500), 'one at a time')
  breaker.succeeded()
  assert.ok(breaker.allows(500))
})

test('a success between two failures counts', () => {
  const breaker = new Breaker()
  breaker.failed(0)
  breaker.succeeded()
  breaker.failed(0)
  assert.ok(breaker.allows(0))
})

test('waits longer each time, ten seconds at most', () => {
  const breaker = opened(0)
  let now = 0
  const waits: number[] = []
  for (let i = 0; i < 7; i++) {
    let waited = 0
    while (!breaker.allows(now + waited)) waited += 100
    waits.push(waited)
    now += waited
    breaker.begin()
    breaker.failed(now)
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000])
})

test('a probe whose client has left is another’s turn', () => {
  const breaker = opened(0)
  breaker.begin()
  breaker.begin()
  breaker.abandoned()
  assert.ok(breaker.allows(500))
})

test('whatever happens, it is never shut for more than ten seconds, and never open to two probes', () => {
  const step = fc.record({ kind: fc.constantFrom('ask', 'succeed', 'fail', 'abandon'), ms: fc.nat(3000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const breaker = new Breaker()
      let now = 0
      let asking = 0
      let shutSince: number | undefined
      for (const { kind, ms } of steps) {
        now += ms
        if (kind === 'ask' && breaker.allows(now)) {
          if (shutSince !== undefined) assert.equal(asking, 0, 'one probe')
          breaker.begin()
          asking++
        } else if (asking > 0 && kind !== 'ask') {
          // All that is asked ends the same way: what matters here is what the breaker makes of it.
          asking = 0
          if (kind === 'succeed') breaker.succeeded()
          if (kind === 'fail') breaker.failed(now)
          if (kind === 'abandon') breaker.abandoned()
          if (kind === 'succeed') shutSince = undefined
          else if (!breaker.allows(now)) shutSince = now
        }
        if (asking === 0) assert.ok(breaker.allows(now + 10_000))
      }
    }),
  )
})
