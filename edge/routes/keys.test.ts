import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ApiError } from '#protocol/error.ts'
import type { ApiKey, KeyLimits, UsagePage } from '#protocol/keys.ts'
import { type Ask, type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { hangsAfter, refuses, START, saysResumably } from '../testing/stub-runner.ts'

const WORDS = ['One', ' two', ' three']
const CHAT = { model: 'stub', messages: [{ role: 'user', content: 'Count' }] }

describe('keys', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    edge.runner.script = saysResumably(WORDS)
  })
  after(() => edge.stop())

  const json = async <T>(path: string, ask: Ask = {}) => {
    const response = await edge.ask(path, ask)
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as T
  }
  const make = (body: object = {}) =>
    json<ApiKey & { key: string }>('/v1/keys', { body: { name: 'test', scopes: ['chat', 'usage'], ...body } })
  const chat = (key: string, body: object = {}) => edge.ask('/v1/chat/completions', { key, body: { ...CHAT, ...body } })
  const usage = async (key = edge.key, query = '') => {
    const start = Math.floor(Date.now() / 1000) - 3600
    const page = await json<UsagePage>(`/v1/usage?start_time=${start}&bucket_width=1d&group_by=key,model${query}`, {
      key,
    })
    return page.data.flatMap(({ results }) => results)
  }
  /** What is written down is written after the answer. */
  const used = async (id: string, count: number) => {
    for (;;) {
      const row = (await usage()).find(({ api_key_id }) => api_key_id === id)
      if (row && row.num_model_requests >= count) return row
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  test('are made, read, changed and revoked', async () => {
    const { key, ...made } = await make({ name: 'mine', limits: { concurrency: 2 } })
    assert.match(key, /^tdm_/)
    assert.deepEqual(made.limits, { concurrency: 2 })
    assert.notEqual(made.owner, 'local')
    assert.deepEqual(await json(`/v1/keys/${made.id}`), made)
    const list = await json<{ data: ApiKey[] }>('/v1/keys?limit=100')
    assert.ok(list.data.some(({ id }) => id === made.id))
    assert.ok(!JSON.stringify(list).includes(key))
    const changed = await json<ApiKey>(`/v1/keys/${made.id}`, { body: { name: 'yours', limits: {} } })
    assert.deepEqual([changed.name, changed.limits, changed.scopes], ['yours', {}, made.scopes])
    assert.equal((await chat(key)).status, 200)
    await json(`/v1/keys/${made.id}`, { method: 'DELETE' })
    assert.equal((await chat(key)).status, 401)
    assert.equal((await edge.ask(`/v1/keys/${made.id}`, { method: 'DELETE' })).status, 404)
    assert.ok((await json<ApiKey>(`/v1/keys/${made.id}`)).revoked_at)
  })

  test('give nobody more than they have, nor the branch that one sits on', async () => {
    const admin = await make({ scopes: ['admin', 'chat'] })
    const body = { name: 'x', scopes: ['conversations'] }
    const refused = await errorOf(await edge.ask('/v1/keys', { key: admin.key, body }))
    assert.deepEqual([refused.status, refused.code, refused.param], [403, 'insufficient_scope', 'scopes'])
    const own = await errorOf(await edge.ask(`/v1/keys/${admin.id}`, { method: 'DELETE', key: admin.key }))
    assert.deepEqual([own.status, own.code], [409, 'key_in_use'])
    const { key } = await make()
    assert.equal((await edge.ask('/v1/keys', { key })).status, 403)
    // What a key loses, its sessions lose.
    const headers = { origin: edge.url }
    const signedIn = await edge.ask('/session', { body: { key: admin.key }, headers, key: null })
    const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    const seen = () => edge.ask('/v1/keys', { key: null, headers: { cookie } })
    assert.equal((await seen()).status, 200)
    await json(`/v1/keys/${admin.id}`, { body: { scopes: ['chat'] } })
    assert.equal((await seen()).status, 403)
    // The last one that may administer stays so.
    const keys = (await json<{ data: ApiKey[] }>('/v1/keys?limit=100')).data
    const first = keys.find(({ name }) => name === 'first')
    const soon = Math.floor(Date.now() / 1000) + 60
    for (const change of [{ scopes: ['chat'] }, { expires_at: soon }]) {
      const last = await errorOf(await edge.ask(`/v1/keys/${first?.id}`, { body: change }))
      assert.deepEqual([last.status, last.code], [409, 'last_admin_key'])
    }
    const past = await errorOf(await edge.ask('/v1/keys', { body: { name: 'x', scopes: ['chat'], expires_at: 1 } }))
    assert.deepEqual([past.status, past.param], [400, 'expires_at'])
  })

  for (const [what, limits, times] of [
    ['requests a minute', { requests_per_minute: 2 }, 2],
    ['tokens a minute', { tokens_per_minute: 40 }, 1],
  ] as const satisfies readonly (readonly [string, KeyLimits, number])[]) {
    test(`hold to ${what}, and say so in each answer`, async () => {
      const { key } = await make({ limits })
      const name = what.split(' ')[0]
      for (let left = times - 1; left >= 0; left--) {
        const response = await chat(key, { max_tokens: 30 })
        assert.equal(response.status, 200, await response.clone().text())
        assert.equal(response.headers.get(`x-ratelimit-limit-${name}`), String(Object.values(limits)[0]))
        await response.text()
      }
      const response = await chat(key, { max_tokens: 34 })
      const { status, code, message } = await errorOf(response)
      assert.deepEqual([status, code], [429, 'rate_limit_exceeded'])
      assert.match(message, new RegExp(what))
      const wait = Number(response.headers.get('retry-after'))
      assert.ok(wait >= 1 && wait <= 60, String(wait))
      assert.equal(response.headers.get(`x-ratelimit-limit-${name}`), String(Object.values(limits)[0]))
      assert.match(response.headers.get(`x-ratelimit-reset-${name}`) ?? '', /^(?:\d+m)?\d+m?s$/)
      assert.equal(
        (await edge.ask('/v1/responses', { key, body: { model: 'stub', input: 'x', max_output_tokens: 34 } })).status,
        429,
      )
    })
  }

  test('hold to requests at once: one that is left or refused makes room', async () => {
    const { key } = await make({ limits: { concurrency: 1 } })
    edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half' })
    const leaving = new AbortController()
    const asked = edge.runner.nextCall()
    const first = await edge.ask('/v1/chat/completions', {
      key,
      body: { ...CHAT, stream: true },
      signal: leaving.signal,
    })
    await first.body?.getReader().read()
    assert.equal((await chat(key)).status, 429)
    leaving.abort()
    await (await asked).closed
    edge.runner.script = refuses(new ApiError('context_length_exceeded', 'long'))
    const again = async () => {
      for (;;) {
        const response = await chat(key)
        if (response.status !== 429) return response
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    assert.equal((await again()).status, 400)
    edge.runner.script = saysResumably(WORDS)
    assert.equal((await again()).status, 200)
    const { id } = (await (await edge.ask('/v1/responses', { key, body: { model: 'stub', input: 'x' } })).json()) as {
      id: string
    }
    assert.match(id, /^resp_/)
    assert.equal((await again()).status, 200)
  })

  test('hold to tokens a month, by what was really used', async () => {
    const { key } = await make({ limits: { tokens_per_month: 60 } })
    // Each uses 8: 5 of the prompt and 3 of the answer.
    for (let i = 0; i < 3; i++) assert.equal((await chat(key, { max_tokens: 20 })).status, 200)
    const response = await chat(key, { max_tokens: 50 })
    assert.deepEqual([response.status, (await errorOf(response)).code], [429, 'insufficient_quota'])
  })

  test('what was used is written down once, whoever ended it', async () => {
    edge.runner.script = saysResumably(WORDS)
    const { id, key } = await make()
    await (await chat(key)).text()
    await (await chat(key, { stream: true, n: 2 })).text()
    await (await edge.ask('/v1/responses', { key, body: { model: 'stub', input: 'x' } })).text()
    await (await edge.ask('/v1/responses', { key, body: { model: 'stub', input: 'x', store: false } })).text()
    const row = await used(id, 5)
    assert.deepEqual([row.num_model_requests, row.input_tokens, row.output_tokens], [5, 25, 15])
    edge.runner.script = hangsAfter(START, { type: 'text-delta', text: 'Half' })
    const leaving = new AbortController()
    const streaming = await edge.ask('/v1/chat/completions', {
      key,
      body: { ...CHAT, stream: true },
      signal: leaving.signal,
    })
    const reader = streaming.body?.getReader()
    let seen = ''
    while (!seen.includes('Half')) seen += new TextDecoder().decode((await reader?.read())?.value)
    leaving.abort()
    const after = await used(id, 6)
    assert.deepEqual([after.num_model_requests, after.input_tokens, after.output_tokens], [6, 30, 16])
    const start = Math.floor(Date.now() / 1000) - 3600
    const byRoute = await json<UsagePage>(`/v1/usage?start_time=${start}&group_by=route`, { key })
    assert.deepEqual(
      byRoute.data.flatMap(({ results }) => results.map((row) => [row.route, row.num_model_requests, row.model])),
      [
        ['/v1/chat/completions', 4, null],
        ['/v1/responses', 2, null],
      ],
    )
    edge.runner.script = saysResumably(WORDS)
    assert.equal((await usage(key)).length, 1, 'one’s own')
    assert.ok((await usage()).length > 1, 'everybody’s')
  })

  test('the same Idempotency-Key has the same answer, once', async () => {
    const headers = { 'idempotency-key': 'once' }
    const ask = (body: object = {}) => edge.ask('/v1/chat/completions', { body: { ...CHAT, ...body }, headers })
    const calls = edge.runner.calls.length
    edge.runner.script = refuses(new ApiError('queue_full', 'full', { retryAfter: 1 }))
    assert.equal((await ask()).status, 429, 'what failed may be tried again')
    edge.runner.script = saysResumably(WORDS)
    const both = await Promise.all([ask(), ask()])
    const statuses = both.map(({ status }) => status).sort()
    assert.ok(statuses[0] === 200 && (statuses[1] === 200 || statuses[1] === 409), statuses.join())
    const first = await both.find(({ status }) => status === 200)?.json()
    assert.deepEqual(await (await ask()).json(), first)
    assert.equal(edge.runner.calls.length, calls + 2)
    assert.equal((await errorOf(await ask({ seed: 1 }))).code, 'idempotency_key_reused')
    assert.equal((await errorOf(await ask({ stream: true }))).param, 'stream')
  })

  test('a response that is deleted and made again is two in the ledger', async () => {
    edge.runner.script = saysResumably(WORDS)
    const { id, key } = await make()
    const headers = { 'idempotency-key': 'made-again' }
    const ids = new Set<string>()
    for (let i = 0; i < 2; i++) {
      const response = await edge.ask('/v1/responses', { key, headers, body: { model: 'stub', input: 'x' } })
      const made = (await response.json()) as { id: string }
      ids.add(made.id)
      await used(id, i + 1)
      assert.equal((await edge.ask(`/v1/responses/${made.id}`, { method: 'DELETE', key })).status, 200)
    }
    assert.equal(ids.size, 1)
    const row = await used(id, 2)
    assert.deepEqual([row.input_tokens, row.output_tokens], [10, 6])
  })

  test('usage refuses a time that is none', async () => {
    for (const query of ['', '?start_time=x', '?start_time=10&end_time=5', '?start_time=0&bucket_width=1h']) {
      assert.equal((await edge.ask(`/v1/usage${query}`)).status, 400, query)
    }
  })
})
