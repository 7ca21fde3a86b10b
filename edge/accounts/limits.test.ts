/** Limits on a simulated clock, with crashes, lost and doubled settlements, and a clock that jumps. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AccountState, admit, newAccount, renew, settle, standing } from './limits.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const SEEDS = 500
const START = Date.UTC(2026, 10, 15, 12)

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
const copy = (state: AccountState) => JSON.parse(JSON.stringify(state)) as AccountState

describe('limits of a key', () => {
  test('requests a minute: as many at once, then one each time that one has been refilled', () => {
    const state = newAccount(START)
    const limits = { requests_per_minute: 6 }
    const ask = (now: number, id: number) => admit(state, limits, now, { id: `r${id}`, tokens: 0 })
    for (let i = 0; i < 6; i++) assert.equal(ask(START, i), undefined)
    assert.deepEqual(ask(START, 6), { limit: 'requests_per_minute', retryAfterMs: 10_000 })
    assert.equal(ask(START + 9_999, 6)?.limit, 'requests_per_minute')
    assert.equal(ask(START + 10_000, 6), undefined)
    assert.deepEqual(standing(state, limits).requests, { limit: 6, remaining: 0, resetMs: MINUTE })
  })

  test('tokens a minute: what was reserved and not used comes back', () => {
    const state = newAccount(START)
    const limits = { tokens_per_minute: 1000 }
    assert.equal(admit(state, limits, START, { id: 'a', tokens: 800 }), undefined)
    assert.equal(admit(state, limits, START, { id: 'b', tokens: 800 })?.limit, 'tokens_per_minute')
    settle(state, limits, START, 'a', 100)
    assert.equal(admit(state, limits, START, { id: 'b', tokens: 800 }), undefined)
    assert.equal(standing(state, limits).tokens?.remaining, 100)
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

  test(`hold whatever happens (${SEEDS} seeds)`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) play(seed)
  })
})

function play(seed: number): void {
  const random = randomFrom(seed)
  const limits = { requests_per_minute: 20, tokens_per_minute: 2000, concurrency: 4, tokens_per_month: 20_000 }
  let state = newAccount(START)
  let kept = copy(state)
  let now = START
  /** Without jumps of the clock, which may refill what they like. */
  let steady = START
  const running = new Map<string, number>()
  const admitted: { at: number; tokens: number }[] = []
  let settled = 0
  for (let step = 0; step < 200; step++) {
    const ms = random() * 4000
    now += ms
    steady += ms
    const what = random()
    if (what < 0.5) {
      const id = `r${step}`
      const tokens = Math.floor(random() * 500)
      if (!admit(state, limits, now, { id, tokens })) {
        running.set(id, tokens)
        admitted.push({ at: steady, tokens })
      }
    } else if (what < 0.85) {
      const [id, tokens] = [...running][Math.floor(random() * running.size)] ?? []
      if (id === undefined || tokens === undefined) continue
      const used = Math.floor(random() * (tokens + 1))
      const open = state.open[id] !== undefined
      settle(state, limits, now, id, used)
      if (open && !state.open[id]) settled += state.month.tokens === 0 ? 0 : used
      // Told twice, it counts once.
      const after = copy(state)
      settle(state, limits, now, id, used)
      assert.deepEqual(state.month, after.month, `seed ${seed}`)
      running.delete(id)
    } else if (what < 0.93) {
      // What was not written is lost, with those who ran.
      if (random() < 0.5) state = copy(kept)
      for (const id of running.keys()) if (!state.open[id]) running.delete(id)
    } else now += (random() < 0.5 ? -1 : 1) * random() * DAY
    if (random() < 0.9) kept = copy(state)
    const open = Object.values(state.open)
    assert.ok(open.length <= limits.concurrency, `seed ${seed}: requests at once`)
    assert.ok(state.requests.taken >= 0 && state.requests.taken <= limits.requests_per_minute, `seed ${seed}: requests`)
    assert.ok(state.tokens.taken >= 0 && state.tokens.taken <= limits.tokens_per_minute, `seed ${seed}: tokens`)
    const reserved = open.reduce((sum, { tokens }) => sum + tokens, 0)
    assert.ok(state.month.tokens + reserved <= limits.tokens_per_month, `seed ${seed}: the month's budget`)
    assert.ok(state.month.tokens <= settled + limits.tokens_per_month)
  }
  // Nobody settles any more: after a while nothing is held.
  const later = Math.max(now, START) + 10 * MINUTE
  assert.equal(admit(state, { concurrency: 1 }, later, { id: 'last', tokens: 0 }), undefined, `seed ${seed}: a leak`)
}
