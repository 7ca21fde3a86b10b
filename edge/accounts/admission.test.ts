/** What is refused before a runner is asked, and what is let in although there is none. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Response as ApiResponse } from '#protocol/responses.ts'
import type { Heartbeat } from '#protocol/runners.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { MODEL, RUNNER_SECRET, saysResumably } from '../testing/stub-runner.ts'

/** The model counts one token for each byte. */
const CONTEXT = MODEL.contextLength

describe('a request', () => {
  let edge: Edge
  before(async () => {
    // The runner registers, as any but a fixed one does.
    edge = await startEdge({ runnerUrl: '' })
    edge.runner.script = saysResumably(['One', ' two'])
  })
  after(() => edge.stop())

  const beat = async (change: Partial<Heartbeat> = {}) => {
    const load = { running: 0, waiting: 0, slots: 4 }
    const heartbeat = {
      id: 'a',
      url: edge.runner.url,
      status: 'ok',
      device: 'cpu',
      models: [MODEL],
      loaded: [MODEL.id],
    }
    const body = { ...heartbeat, load, ...change }
    assert.equal((await edge.ask('/internal/runners', { body, key: RUNNER_SECRET })).status, 204)
  }
  const waitsAsLong = (key: string) =>
    edge.ask('/v1/responses', { key, body: { model: 'stub', input: 'Count', background: true, max_output_tokens: 5 } })

  test('in the background waits for a runner, also where its tokens cannot be counted yet', async () => {
    const limits = { tokens_per_minute: 200, tokens_per_month: 200 }
    const { id: keyId, key } = await edge.newKey({ limits })
    const asked = await waitsAsLong(key)
    assert.equal(asked.status, 200, await asked.clone().text())
    const { id, status } = (await asked.json()) as ApiResponse
    assert.equal(status, 'queued')
    const foreground = await edge.ask('/v1/responses', { key, body: { model: 'stub', input: 'Count' } })
    const { code, message } = await errorOf(foreground)
    assert.deepEqual([foreground.status, code, foreground.headers.get('retry-after')], [503, 'runner_unavailable', '2'])
    assert.match(message, /What is stored can be read.*responses with background wait/)
    // What it may take at most counts: the budget holds whatever comes.
    let others = 0
    while ((await waitsAsLong(key)).status === 200) others++
    assert.ok(others >= 1 && others <= 4, `${others} more`)
    await beat()
    const ended = await edge.ask(`/v1/responses/${id}?stream=true`, { key })
    assert.match(await ended.text(), /event: response\.completed\n/)
    const rows = edge.database
      .prepare('SELECT SUM(completion_tokens) AS tokens FROM usage WHERE key_id = ?')
      .bind(keyId)
    while ((await rows.first<{ tokens: number }>())?.tokens !== 2 * (others + 1)) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    // What was not used is given back.
    assert.equal((await waitsAsLong(key)).status, 200)
  })

  for (const [path, param, long] of [
    ['/v1/chat/completions', 'messages', { messages: [{ role: 'user', content: 'x'.repeat(CONTEXT) }] }],
    ['/v1/chat/completions', 'messages', { messages: [{ role: 'user', content: 'x' }], max_tokens: CONTEXT }],
    ['/v1/completions', 'prompt', { prompt: ['x', 'x'.repeat(CONTEXT + 1)] }],
    ['/v1/responses', 'input', { input: 'x'.repeat(CONTEXT) }],
    ['/v1/responses', 'input', { input: 'x', max_output_tokens: CONTEXT, store: false }],
  ] as const) {
    test(`over the context never reaches a runner, whatever its key's limits: ${path}, ${JSON.stringify(long).slice(0, 60)}`, async () => {
      await beat()
      const calls = edge.runner.calls.length
      for (const limits of [undefined, { requests_per_minute: 100 }, { tokens_per_minute: 1_000_000 }]) {
        const { key } = await edge.newKey(limits && { limits })
        const response = await edge.ask(path, { key, body: { model: 'stub', ...long } })
        assert.equal(response.headers.get('x-ratelimit-limit-requests'), String(limits?.requests_per_minute ?? 1e9))
        const refused = await errorOf(response)
        assert.deepEqual([refused.status, refused.code, refused.param], [400, 'context_length_exceeded', param])
      }
      assert.equal(edge.runner.calls.length, calls)
    })
  }

  test('that just fits is let through', async () => {
    await beat()
    const body = { model: 'stub', messages: [{ role: 'user', content: 'x'.repeat(CONTEXT - 10) }], max_tokens: 10 }
    assert.equal((await edge.ask('/v1/chat/completions', { body })).status, 200)
  })
})
