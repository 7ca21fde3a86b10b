/** `Idempotency-Key` of what takes a while, through workerd. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { CLAIM_MS } from '../storage/claims.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import { hangsAfter, START, saysResumably } from '../testing/stub-runner.ts'

const ROUTES = [
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Count' }] }],
  ['/v1/completions', { prompt: 'One,' }],
  ['/v1/responses', { input: 'Count', store: false }],
] as const

describe('an answer that is given again', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.stop())
  beforeEach(() => {
    edge.runner.script = saysResumably(['One', ' two'])
  })
  let names = 0
  const asking = (path: string, body: object) => {
    const headers = { 'idempotency-key': `key-${names++}` }
    return (more: object = {}, ask: { key?: string; signal?: AbortSignal } = {}) =>
      edge.ask(path, { body: { model: 'stub', ...body, ...more }, headers, ...ask })
  }

  for (const [path, body] of ROUTES) {
    test(`${path}: is the same, with its headers, and limits as they are now`, async () => {
      const limits = { requests_per_minute: 10 }
      const { key } = await edge.newKey({ limits })
      const ask = asking(path, body)
      const calls = edge.runner.calls.length
      const [first, again] = [await ask({}, { key }), await ask({}, { key })]
      assert.deepEqual([first.status, again.status], [200, 200])
      assert.equal(await again.text(), await first.text())
      for (const name of ['content-type', 'cache-control', 'x-served-by', 'openai-processing-ms']) {
        assert.ok(first.headers.get(name), name)
        assert.equal(again.headers.get(name), first.headers.get(name), name)
      }
      assert.notEqual(again.headers.get('x-request-id'), first.headers.get('x-request-id'))
      // The one before took one, and this one none.
      assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '9')
      assert.equal(again.headers.get('x-ratelimit-remaining-requests'), '9')
      assert.equal(again.headers.get('x-ratelimit-limit-tokens'), '1000000000')
      assert.equal((await ask()).status, 200, 'another owner’s is another')
      assert.equal(edge.runner.calls.length, calls + 2)
    })

    test(`${path}: none while the first is at work, or for another body, or as a stream`, async () => {
      edge.runner.script = hangsAfter(START)
      const ask = asking(path, body)
      const asked = edge.runner.nextCall()
      const leaving = new AbortController()
      const first = ask({}, { signal: leaving.signal }).catch(() => undefined)
      const call = await asked
      const inFlight = await ask()
      assert.equal(inFlight.headers.get('retry-after'), '1')
      assert.deepEqual((await errorOf(inFlight)).code, 'request_in_flight')
      assert.equal((await errorOf(await ask({ seed: 7 }))).code, 'idempotency_key_reused')
      assert.equal((await errorOf(await ask({ stream: true }))).param, 'stream')
      // Its reader leaves, and asks again: a client's time limit, and its retry.
      leaving.abort()
      await Promise.all([first, call.closed])
      edge.runner.script = saysResumably(['One'])
      for (;;) {
        const retried = await ask()
        if (retried.status === 200) {
          assert.match(await retried.text(), /One/)
          break
        }
        assert.equal((await errorOf(retried)).code, 'request_in_flight')
      }
    })
  }

  test('is made anew when the edge was killed in the middle', async () => {
    edge.runner.script = hangsAfter(START)
    const ask = asking(...ROUTES[0])
    const asked = edge.runner.nextCall()
    const first = ask().catch(() => undefined)
    await asked
    await edge.kill()
    await first
    assert.equal((await errorOf(await ask())).code, 'request_in_flight')
    // As if so long had passed.
    const passed = edge.database.prepare("UPDATE idempotent_answers SET created_at = created_at - ? WHERE answer = ''")
    await passed.bind(CLAIM_MS).run()
    edge.runner.script = saysResumably(['One'])
    assert.equal((await ask()).status, 200)
  })

  test('of a stored response has its limits, too', async () => {
    const { key } = await edge.newKey({ limits: { requests_per_minute: 10 } })
    const ask = asking('/v1/responses', { input: 'Count' })
    const [first, again] = [await ask({}, { key }), await ask({}, { key })]
    for (const name of ['x-ratelimit-remaining-requests', 'x-ratelimit-limit-tokens', 'x-served-by']) {
      assert.ok(first.headers.get(name), name)
      assert.equal(again.headers.get(name), first.headers.get(name), name)
    }
    assert.equal(await again.text(), await first.text())
  })

  test('two at the same moment with other bodies: one is answered', async () => {
    for (const conversation of [false, true]) {
      const made = await edge.ask('/v1/conversations', { body: {} })
      const { id } = (await made.json()) as { id: string }
      const ask = asking('/v1/responses', conversation ? { conversation: id } : {})
      const answers = await Promise.all(['a', 'b', 'c'].map((input) => ask({ input })))
      const codes = await Promise.all(
        answers.map(async (answer) => (answer.status === 200 ? '' : (await errorOf(answer)).code)),
      )
      assert.deepEqual(codes.sort(), ['', 'idempotency_key_reused', 'idempotency_key_reused'])
      const items = await edge.ask(`/v1/conversations/${id}/items`)
      const { data } = (await items.json()) as { data: object[] }
      assert.equal(data.length, conversation ? 2 : 0)
    }
  })
})
