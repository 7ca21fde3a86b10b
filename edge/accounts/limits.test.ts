/** Limits on a simulated clock, with crashes, lost and doubled settlements, and a clock that jumps. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomFrom } from '../testing/random.ts'
import { SEEDS, seeds } from '../testing/seeds.ts'
import { admit, newAccount, renew, settle, standing } from './limits.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const START = Date.UTC(2026, 10, 15, 12)

describe('limits of a key', () => {
  test('requests a minute: as many at once, then one each time that one has been refilled', () => {
    const state = newAccount(START)
    const limits = { requests_per_minute: 6 }
    const ask = (now: number, id: number) => admit(state, limits, now, { id: `r${id}`, tokens: 0 })
    for (let i = 0; i < 6; i++) assert.equal(ask(START, i), undefined)
    assert.deepEqual(ask(START, 6), { limit: 'requests_per_minute', retryAfterMs: 10_000 })
    assert.equal(ask(START + 9_999, 6)?.limit, 'requests_per_minute')
    assert.equal(ask(START + 10_000, 6), undefined)
    assert.deepEqual(standing(state, limits, START + 10_000).requests, { limit: 6, remaining: 0, resetMs: MINUTE })
  })

  test('tokens a minute: what was reserved and not used comes back', () => {
    const state = newAccount(START)
    const limits = { tokens_per_minute: 1000 }
    assert.equal(admit(state, limits, START, { id: 'a', tokens: 800 }), undefined)
    assert.equal(admit(state, limits, START, { id: 'b', tokens: 800 })?.limit, 'tokens_per_minute')
    settle(state, limits, START, 'a', 100)
    assert.equal(admit(state, limits, START, { id: 'b', tokens: 800 }), undefined)
    assert.equal(standing(state, limits, START).tokens?.remaining, 100)
  })

  test('requests at once: one that is never settled runs out, one that is renewed does not', () => {
    const state = newAccount(START)
    const limits = { concurrency: 1 }
    assert.equal(admit(state, limits, START, { id: 'a', tokens: 0 }), undefined)
    assert.equal(admit(state, limits, START, { id: 'a', tokens: 0 }), undefined, 'the same request, again')
    renew(state, START + 2 * MINUTE, 'a')
    assert.equal(admit(state, limits, START + 4 * MINUTE, { id: 'b', tokens: 0 })?.limit, 'concurrency')
    assert.equal(admit(state, limits, START + 6 * MINUTE, { id: 'b', tokens: 0 }), undefined)
  })

  test('tokens a month: the next month begins afresh, and no clock brings the old one back', () => {
    const state = newAccount(START)
    const limits = { tokens_per_month: 1000 }
    assert.equal(admit(state, limits, START, { id: 'a', tokens: 900 }), undefined)
    settle(state, limits, START, 'a', 900)
    const refused = admit(state, limits, START, { id: 'b', tokens: 200 })
    assert.equal(refused?.limit, 'tokens_per_month')
    const next = START + (refused?.retryAfterMs ?? 0)
    assert.equal(new Date(next).toISOString(), '2026-12-01T00:00:00.000Z')
    assert.equal(admit(state, limits, next, { id: 'b', tokens: 900 }), undefined)
    settle(state, limits, next, 'b', 900)
    assert.equal(admit(state, limits, next - DAY, { id: 'c', tokens: 200 })?.limit, 'tokens_per_month')
  })

  test('what was used without a limit is not owed when there is one; no time makes a request smaller', () => {
    const state = newAccount(START)
    for (let i = 0; i < 5; i++) {
      assert.equal(admit(state, { concurrency: 9 }, START, { id: `r${i}`, tokens: 1e6 }), undefined)
      settle(state, { concurrency: 9 }, START, `r${i}`, 1e6)
    }
    const limits = { requests_per_minute: 2, tokens_per_minute: 100 }
    assert.equal(admit(state, limits, START, { id: 'a', tokens: 100 }), undefined)
    assert.deepEqual(admit(state, limits, START, { id: 'b', tokens: 101 }), {
      limit: 'tokens_per_minute',
      retryAfterMs: null,
    })
  })

  test('one that is settled after it ran out counts once; a clock set back lets nobody else in', () => {
    const state = newAccount(START)
    const limits = { concurrency: 1, tokens_per_month: 1000 }
    assert.equal(admit(state, limits, START, { id: 'a', tokens: 500 }), undefined)
    assert.equal(admit(state, limits, START - MINUTE, { id: 'b', tokens: 1 })?.limit, 'concurrency')
    assert.equal(admit(state, limits, START + 5 * MINUTE, { id: 'b', tokens: 1 }), undefined)
    for (let i = 0; i < 2; i++) settle(state, limits, START + 6 * MINUTE, 'a', 400)
    assert.equal(state.month.tokens, 400)
  })

  test(`hold whatever happens (${SEEDS} seeds)`, () => {
    for (const seed of seeds()) play(seed)
  })
})

function play(seed: number): void {
  const random = randomFrom(seed)
  const limits = { requests_per_minute: 12, tokens_per_minute: 1200, concurrency: 4, tokens_per_month: 4000 }
  const state = newAccount(START)
  /** A clock that jumps refills what it likes: half of the schedules have one that does not. */
  const jumps = seed % 2 === 0
  let now = START
  /** Of those admitted and not settled: whether it may have run out. */
  const running = new Map<string, { tokens: number; at: number }>()
  const admitted: { at: number; tokens: number }[] = []
  let month = state.month.name
  let settled = 0
  for (let step = 0; step < 200; step++) {
    now += random() * 1200
    const what = random()
    if (what < 0.55) {
      const id = `r${step}`
      const tokens = Math.floor(random() * 500)
      if (!admit(state, limits, now, { id, tokens })) {
        running.set(id, { tokens, at: now })
        admitted.push({ at: now, tokens })
      }
    } else if (what < 0.9) {
      // Some are settled late, and some never.
      const [id, one] = [...running][Math.floor(random() * running.size)] ?? []
      if (id === undefined || one === undefined || one.tokens % 10 === 0) continue
      const used = Math.floor(random() * (one.tokens + 1))
      settle(state, limits, now, id, used)
      if (state.month.name !== month) settled = 0
      settled += used
      // Told twice, it counts once.
      settle(state, limits, now, id, used)
      running.delete(id)
    } else if (jumps) now += (random() < 0.5 ? -1 : 1) * random() * DAY
    if (state.month.name !== month) {
      if (state.month.tokens === 0) settled = 0
      month = state.month.name
    }
    assert.equal(state.month.tokens, settled, `seed ${seed}: the month is what was settled`)
    assert.ok(settled <= limits.tokens_per_month, `seed ${seed}: the month's budget`)
    if (jumps) continue
    const lately = admitted.filter(({ at }) => at > now - MINUTE)
    assert.ok(lately.length <= 2 * limits.requests_per_minute, `seed ${seed}: requests a minute`)
    const sure = [...running.values()].filter(({ at }) => at > now - 3 * MINUTE)
    assert.ok(sure.length <= limits.concurrency, `seed ${seed}: requests at once`)
    const since = now - START
    const most = (limit: number) => limit + (limit * since) / MINUTE + 1e-6
    assert.ok(admitted.length <= most(limits.requests_per_minute), `seed ${seed}: requests in all`)
    const tokens = admitted.reduce((sum, one) => sum + one.tokens, 0)
    // What was reserved and not used came back.
    const given = tokens - [...running.values()].reduce((sum, one) => sum + one.tokens, 0) - settled
    assert.ok(tokens - given <= most(limits.tokens_per_minute), `seed ${seed}: tokens in all`)
  }
  // Nobody settles any more: after a while nothing is held.
  const later = Math.max(now, START) + 10 * MINUTE
  // A clock that was set back is seen at the next request; from then on nothing is held for longer than usual.
  admit(state, { concurrency: 1 }, later - 5 * MINUTE, { id: 'last', tokens: 0 })
  assert.equal(admit(state, { concurrency: 1 }, later, { id: 'after', tokens: 0 }), undefined, `seed ${seed}: a leak`)
}
