/** What runners tell when an edge was killed: every order of events on simulated ones, then a real one. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Bill, EndedGeneration } from '#protocol/bill.ts'
import { ApiError } from '#protocol/error.ts'
import type { ApiKey, UsagePage } from '#protocol/keys.ts'
import type { Heartbeat } from '#protocol/runners.ts'
import type { Database } from '../storage/database.ts'
import { createKey } from '../storage/keys.ts'
import { writeUsage } from '../storage/usage.ts'
import { type Edge, startEdge } from '../testing/edge.ts'
import { randomFrom } from '../testing/random.ts'
import { SEEDS, seeds } from '../testing/seeds.ts'
import { memoryDatabase } from '../testing/sqlite.ts'
import { hangsAfter, MODEL, RUNNER_SECRET, refuses, START } from '../testing/stub-runner.ts'
import type { AccountObject } from './account-object.ts'
import { takeEnded } from './ended.ts'
import { type AccountState, admit, newAccount, settle, tell } from './limits.ts'

const REQUESTS = 4
const START_TIME = Date.UTC(2026, 10, 15, 12)
const LEASE_MS = 3 * 60_000

interface Row {
  id: string
  completion_tokens: number
  written_by: string
}

test(`each generation is in the ledger once, whoever was killed when (${SEEDS} seeds)`, async () => {
  const database = await memoryDatabase()
  for (const seed of seeds()) await play(database, seed)
})

/** Requests of one to three generations; each part of what follows happens or not, once or twice, early or late. */
async function play(database: Database, seed: number): Promise<void> {
  const random = randomFrom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const limits = { tokens_per_month: 1e9, tokens_per_minute: 1e9 }
  const { id: keyId } = await createKey(database, { name: 'k', scopes: ['chat'], owner: 'ann', limits })
  const state: AccountState = newAccount(START_TIME)
  let now = START_TIME
  const account: Pick<AccountObject, 'tell'> = {
    async tell(held, told) {
      for (const one of told) tell(state, held, now, one)
    },
  }
  const world = { DB: database, ACCOUNTS: { getByName: () => account as AccountObject } }
  const steps: (() => Promise<void> | void)[] = []
  const rows = new Map<string, { tokens: number; by: string }>()
  let month = 0
  for (let r = 0; r < REQUESTS; r++) {
    const request = `seed-${seed}-${r}`
    const of = 1 + below(3)
    const bills = Array.from(
      { length: of },
      (_, i): Bill => ({ id: `${request}.${i}`, request, of, keyId, route: '/' }),
    )
    const ended = bills.map((bill): EndedGeneration => {
      const [promptTokens, completionTokens] = [random() < 0.15 ? 0 : 5, below(40)]
      const used = { promptTokens, completionTokens: promptTokens && completionTokens, cachedTokens: 0 }
      return { bill, owner: 'ann', model: 'm', ...used, startedAt: now, endedAt: now, outcome: 'cancelled' }
    })
    // What the edge has heard of is no more than what the runner has said.
    const heard = ended.map(({ bill: { id, route }, promptTokens, completionTokens, ...rest }) => {
      const { owner, model, cachedTokens, startedAt, endedAt, outcome } = rest
      const used = { promptTokens, completionTokens: below(completionTokens + 1), cachedTokens }
      return { id, owner, keyId, model, route, ...used, startedAt, endedAt, outcome }
    })
    const begun = heard.filter(({ promptTokens }) => promptTokens > 0)
    const sum = (all: readonly { promptTokens: number; completionTokens: number }[]) =>
      all.reduce((total, { promptTokens, completionTokens }) => total + promptTokens + completionTokens, 0)
    // Killed before it wrote, before it settled, or not at all.
    const [writes, settles] = (
      [
        [false, false],
        [true, false],
        [true, true],
      ] as const
    )[below(3)] ?? [true, true]
    assert.equal(admit(state, limits, now, { id: request, tokens: 1000 }), undefined)
    if (writes) {
      steps.push(async () => {
        await writeUsage(database, begun)
        if (settles) settle(state, limits, now, request, sum(heard))
      })
    }
    month += settles ? sum(heard) : sum(ended)
    for (const [i, one] of ended.entries()) {
      const id = one.bill.id
      if (one.promptTokens > 0) {
        const by = writes ? 'edge' : 'runner'
        rows.set(id, { tokens: (writes ? heard[i]?.completionTokens : one.completionTokens) ?? 0, by })
      }
      // Told again when the answer to the first was lost; or two runners were asked, and the first one soon left alone.
      const first = random() < 0.3 ? { ...one, completionTokens: below(one.completionTokens + 1) } : one
      for (const told of first === one && random() < 0.6 ? [one] : [first, one]) {
        steps.push(() => takeEnded(world, random() < 0.2 ? [told, told] : [told]))
      }
    }
  }
  while (steps.length > 0) {
    await steps.splice(below(steps.length), 1)[0]?.()
    // Edges that are there keep their reservations: nothing runs out before everybody has spoken.
    now += random() * 1000
  }
  now += LEASE_MS + 1000
  admit(state, limits, now, { id: 'last', tokens: 0 })
  assert.equal(state.month.tokens, month, `seed ${seed}: what the month is charged with`)
  assert.deepEqual(Object.keys(state.open), ['last'], `seed ${seed}: nothing is held`)
  assert.deepEqual(state.lapsed, {}, `seed ${seed}: nothing ran out unexplained`)
  const { results } = await database
    .prepare('SELECT id, completion_tokens, written_by FROM usage WHERE key_id = ? ORDER BY id')
    .bind(keyId)
    .all<Row>()
  const expected = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
  assert.deepEqual(
    results.map((row) => ({ ...row })),
    expected.map(([id, { tokens, by }]) => ({ id, completion_tokens: tokens, written_by: by })),
    `seed ${seed}`,
  )
}

describe('an edge that is killed in the middle of an answer', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())

  const heartbeat = (): Heartbeat => ({
    id: 'runner-1',
    url: edge.runner.url,
    status: 'ok',
    device: 'cpu',
    models: [MODEL],
    loaded: [MODEL.id],
    load: { running: 0, waiting: 0, slots: 4 },
  })
  const report = (ended: readonly object[]) =>
    edge.ask('/internal/runners', { body: { ...heartbeat(), ended }, key: RUNNER_SECRET })
  const usage = async (id: string) => {
    const start = Math.floor(Date.now() / 1000) - 3600
    const response = await edge.ask(`/v1/usage?start_time=${start}&group_by=key,route`)
    const page = (await response.json()) as UsagePage
    return page.data.flatMap(({ results }) => results).filter(({ api_key_id }) => api_key_id === id)
  }

  for (const [what, path, body] of [
    ['chat completion', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Count' }] }],
    ['completion', '/v1/completions', { prompt: 'One,' }],
    ['response that is not stored', '/v1/responses', { input: 'Count', store: false }],
  ] as const) {
    test(`has it in its ledger all the same: ${what}`, async () => {
      const made = await edge.ask('/v1/keys', {
        body: { name: 'k', scopes: ['chat'], limits: { tokens_per_month: 10_000 } },
      })
      const { id, key, owner } = (await made.json()) as ApiKey & { key: string }
      edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half' })
      const asked = edge.runner.nextCall()
      const answer = await edge.ask(path, { key, body: { model: 'stub', stream: true, ...body } })
      await answer.body?.getReader().read()
      const call = await asked
      await edge.kill()
      await call.closed
      assert.deepEqual(await usage(id), [])
      const { bill } = call.request
      assert.deepEqual([bill?.keyId, bill?.route, bill?.of, call.request.tenant], [id, path, 1, owner])
      const now = Date.now()
      const tokens = { promptTokens: 5, completionTokens: 3, cachedTokens: 0 }
      const times = { startedAt: now - 100, endedAt: now }
      const ended = { bill, owner, model: 'stub', ...tokens, ...times, outcome: 'cancelled' }
      assert.equal((await report([{ ...ended, outcome: 'nonsense' }])).status, 400)
      for (let i = 0; i < 2; i++) assert.equal((await report([ended])).status, 204)
      const [row, ...others] = await usage(id)
      assert.deepEqual(others, [])
      assert.deepEqual([row?.num_model_requests, row?.input_tokens, row?.output_tokens, row?.route], [1, 5, 3, path])
    })
  }

  test('what was refused used nothing, whatever a runner tells of a part of it', async () => {
    const { id, key } = await edge.newKey()
    const calls = edge.runner.calls.length
    edge.runner.script = (response, call) => {
      const isSecond = edge.runner.calls.length === calls + 2
      if (isSecond) refuses(new ApiError('queue_full', 'full', { retryAfter: 1 }))(response, call)
      else hangsAfter(START)(response, call)
    }
    const body = { model: 'stub', n: 2, messages: [{ role: 'user', content: 'x' }] }
    const refused = await edge.ask('/v1/chat/completions', { key, body })
    assert.equal(refused.status, 429)
    const first = edge.runner.calls[calls]
    assert.ok(first?.request.bill)
    await first.closed
    const written = edge.database.prepare('SELECT COUNT(*) AS rows FROM usage WHERE key_id = ?').bind(id)
    while ((await written.first<{ rows: number }>())?.rows !== 2)
      await new Promise((resolve) => setTimeout(resolve, 10))
    const tokens = { promptTokens: 5, completionTokens: 1, cachedTokens: 0 }
    const { bill, tenant: owner, model } = first.request
    const ended = { bill, owner, model, ...tokens, startedAt: Date.now(), endedAt: Date.now(), outcome: 'cancelled' }
    assert.equal((await report([ended])).status, 204)
    assert.deepEqual(await usage(id), [])
  })

  test('no caller names a row of the ledger: the same x-request-id twice is two requests', async () => {
    const { id, key } = await edge.newKey()
    edge.runner.script = hangsAfter(START)
    for (let i = 0; i < 2; i++) {
      const asked = edge.runner.nextCall()
      const gone = new AbortController()
      const answer = edge.ask('/v1/chat/completions', {
        key,
        body: { model: 'stub', stream: true, messages: [{ role: 'user', content: 'x' }] },
        headers: { 'x-request-id': 'mine' },
        signal: gone.signal,
      })
      await (await answer).body?.getReader().read()
      gone.abort()
      await (await asked).closed
    }
    while ((await usage(id))[0]?.num_model_requests !== 2) await new Promise((resolve) => setTimeout(resolve, 10))
  })
})
