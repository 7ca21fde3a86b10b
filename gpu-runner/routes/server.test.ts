import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { ApiError } from '#protocol/error.ts'
import type { ChatModel } from '../chat-model.ts'
import { EndedGenerations } from '../ended-generations.ts'
import type { EngineEvent } from '../engine/engine.ts'
import { Metrics } from '../metrics.ts'
import { generations } from './generations.ts'
import * as v from 'valibot'
import { createRunnerServer, readValid, sendJson } from './server.ts'

const SECRET = 'a secret'
const REQUEST = {
  model: 'm',
  tenant: 't',
  prompt: { type: 'chat', messages: [{ role: 'user', content: 'Hello' }] },
  maxTokens: 4,
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  typicalP: 1,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: [],
  minTokens: 0,
  ignoreEos: false,
  logprobs: null,
  background: false,
  seed: 1,
  stop: [],
  constraint: null,
}

/** An engine that says what a test tells it to. */
class ScriptedEngine {
  listen: (event: EngineEvent) => void = () => {}
  cancelled = Promise.withResolvers<void>()
  submitted = Promise.withResolvers<void>()

  submit(_request: unknown, listen: (event: EngineEvent) => void): () => void {
    this.listen = listen
    this.submitted.resolve()
    return () => this.cancelled.resolve()
  }
}

describe('the runner', () => {
  let engine = new ScriptedEngine()
  const ended = new EndedGenerations()
  const model = () =>
    ({
      info: { id: 'm', fingerprint: 'fp_1' },
      engine,
      encode: () => ({ prompt: [1, 2, 3], maxTokens: 4 }),
      requireTokens: () => {},
    }) as unknown as ChatModel
  const server = createRunnerServer(SECRET, {
    'GET /health': ({ response }) => sendJson(response, 200, { status: 'ok' }),
    'POST /echo': async ({ request, response }) => sendJson(response, 200, await readValid(request, v.unknown())),
    'GET /broken': () => {
      throw new TypeError('a detail that stays inside')
    },
    'GET /busy': () => {
      throw new ApiError('queue_full', 'busy', { retryAfter: 7 })
    },
    'POST /generations': generations(model, new Metrics(), ended),
  })
  let url = ''
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.close()
    server.closeAllConnections()
  })

  const ask = (path: string, init: RequestInit = {}, secret = SECRET) =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${secret}` } })
  const refusal = async (response: Response) => {
    const { error } = (await response.json()) as { error: { code: string; param: string | null; message: string } }
    return { status: response.status, code: error.code, param: error.param, message: error.message }
  }
  const generate = (body: unknown = REQUEST, init: RequestInit = {}) => {
    engine = new ScriptedEngine()
    return ask('/generations', { method: 'POST', body: JSON.stringify(body), ...init })
  }

  test('keeps a connection for longer than the edge does', async () => {
    const { headers } = await ask('/health')
    const seconds = Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])
    assert.ok(seconds > 5, `${seconds} s`)
  })

  test('answers nobody without its secret', async () => {
    for (const secret of ['', 'a secre', 'a secret ', 'A secret', `${SECRET}${SECRET}`]) {
      const response = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${secret}x` } })
      assert.equal((await refusal(response)).code, 'invalid_api_key', secret)
    }
    assert.equal((await fetch(`${url}/nowhere`)).status, 401)
    assert.equal((await ask('/health')).status, 200)
  })

  test('knows its routes by method and path', async () => {
    for (const [path, init] of [
      ['/nowhere', {}],
      ['/health', { method: 'POST' }],
      ['/health?a', {}],
      ['//health', {}],
      ['/__proto__', {}],
    ] as const) {
      assert.equal((await refusal(await ask(path, init))).code, 'not_found', path)
    }
  })

  test('reads JSON within its bounds', async () => {
    const post = (body: string) => ask('/echo', { method: 'POST', body })
    assert.deepEqual(await (await post('{"a":"é"}')).json(), { a: 'é' })
    assert.equal((await refusal(await post('{"a":'))).code, 'invalid_json')
    assert.equal((await refusal(await post(`"${'a'.repeat(8 << 20)}"`))).code, 'request_too_large')
  })

  test('keeps to itself why it failed', async (t) => {
    const logged = t.mock.method(console, 'error', () => {})
    const { status, code, message } = await refusal(await ask('/broken'))
    assert.deepEqual([status, code], [500, 'internal_error'])
    assert.doesNotMatch(message, /detail/)
    assert.match(String(logged.mock.calls[0]?.arguments[0]), /a detail that stays inside/)
  })

  test('says when to come back', async () => {
    const response = await ask('/busy')
    assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '7'])
  })

  test('refuses a request that is none, by the name of what is wrong', async () => {
    const { status, code, param } = await refusal(await generate({ ...REQUEST, temperature: 'warm' }))
    assert.deepEqual([status, code, param], [400, 'invalid_value', 'temperature'])
  })

  test('streams what the engine says, and ends', async () => {
    const response = await generate()
    engine.listen({ type: 'start', id: 1 })
    engine.listen({ type: 'text', id: 1, text: 'Hé\n', ids: [7] })
    engine.listen({
      type: 'finish',
      id: 1,
      finishReason: 'stop',
      usage: { promptTokens: 3, completionTokens: 2, cachedTokens: 0 },
      timings: { queueMs: 0, promptMs: 1, promptPerSecond: 3000, generationMs: 1, generationPerSecond: 1000 },
    })
    const events = (await response.text())
      .split('\n\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line.slice('data: '.length)) as { type: string })
    assert.deepEqual(
      events.map(({ type }) => type),
      ['generation-start', 'text-delta', 'generation-finish'],
    )
    assert.deepEqual(events[1], { type: 'text-delta', text: 'Hé\n' })
  })

  test('ends with one error when the engine fails', async (t) => {
    const logged = t.mock.method(console, 'error', () => {})
    const response = await generate()
    engine.listen({ type: 'text', id: 1, text: 'Half', ids: [7] })
    engine.listen({ type: 'error', id: 1, message: 'a detail that stays inside' })
    const text = await response.text()
    assert.match(text, /"type":"generation-error"[^\n]*"runner_failed"[^\n]*\n\n$/)
    assert.doesNotMatch(text, /detail that/)
    assert.match(String(logged.mock.calls[0]?.arguments[0]), /a detail that stays inside/)
  })

  test('remembers what one with a bill used, and no other', async () => {
    const bill = { id: 'use_1.0', request: 'use_1', of: 1, keyId: 'key_1', route: '/v1/completions' }
    const gone = new AbortController()
    await generate({ ...REQUEST, bill }, { signal: gone.signal })
    engine.listen({ type: 'start', id: 1 })
    engine.listen({ type: 'text', id: 1, text: 'Half', ids: [7, 8] })
    engine.listen({ type: 'text', id: 1, text: ' more', ids: [9] })
    gone.abort()
    await engine.cancelled.promise
    engine.listen({ type: 'cancelled', id: 1 })
    const [left, ...others] = ended.first(10)
    assert.deepEqual(others, [])
    assert.ok(left)
    const { startedAt, endedAt, ...used } = left
    assert.ok(startedAt <= endedAt)
    const owner = { owner: 't', model: 'm', bill }
    const tokens = { promptTokens: 3, completionTokens: 3, cachedTokens: 0 }
    assert.deepEqual(used, { ...owner, ...tokens, outcome: 'cancelled' })
    ended.heard([left])
    assert.equal(ended.size, 0)
  })

  test('cancels what nobody reads any more', async () => {
    const gone = new AbortController()
    await generate(REQUEST, { signal: gone.signal })
    await engine.submitted.promise
    gone.abort()
    await engine.cancelled.promise
  })
})
