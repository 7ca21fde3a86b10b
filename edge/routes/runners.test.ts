import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ApiError } from '#protocol/error.ts'
import type { Heartbeat } from '#protocol/runners.ts'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'
import {
  hangsAfter,
  MODEL,
  RUNNER_SECRET,
  refuses,
  START,
  type StubRunner,
  says,
  startStubRunner,
} from '../testing/stub-runner.ts'

const PATH = '/internal/runners'
/** After this an edge has looked who is there. */
const KNOWN_MS = 1_100

describe('several runners', () => {
  let edge: Edge
  let runners: StubRunner[]
  let names = 0
  before(async () => {
    edge = await startEdge({ runnerUrl: '' })
    runners = await Promise.all([startStubRunner(), startStubRunner()])
  })
  after(async () => {
    await edge.stop()
    await Promise.all(runners.map((runner) => runner.stop()))
  })

  const heartbeat = (runner: StubRunner, more: Partial<Heartbeat> = {}): Heartbeat => ({
    id: `runner-${names++}`,
    url: runner.url,
    status: 'ok',
    device: 'cpu',
    models: [MODEL],
    loaded: [MODEL.id],
    load: { running: 0, waiting: 0, slots: 4 },
    ...more,
  })
  const tell = async (runner: StubRunner, more: Partial<Heartbeat> = {}) => {
    const body = heartbeat(runner, more)
    const response = await edge.ask(PATH, { body, key: RUNNER_SECRET })
    assert.equal(response.status, 204, await response.text())
  }
  const known = () => new Promise((resolve) => setTimeout(resolve, KNOWN_MS))
  const chat = (content: string) =>
    edge.ask('/v1/chat/completions', { body: { model: 'stub', messages: [{ role: 'user', content }] } })
  const calls = () => runners.map((runner) => runner.calls.length)

  beforeEach(async () => {
    for (const runner of runners) {
      runner.script = says('Hello')
      await tell(runner)
    }
    await known()
  })

  test('only a runner may say that it is there', async () => {
    const [runner] = runners as [StubRunner]
    for (const key of [null, edge.key, `${RUNNER_SECRET}x`]) {
      assert.equal((await edge.ask(PATH, { body: heartbeat(runner), key })).status, 401)
    }
    assert.equal((await edge.ask('/v1/models', { key: RUNNER_SECRET })).status, 401)
    const wrong = { ...heartbeat(runner), url: 'file:///etc/passwd' }
    assert.equal((await edge.ask(PATH, { body: wrong, key: RUNNER_SECRET })).status, 400)
    assert.equal((await edge.ask(PATH, { key: RUNNER_SECRET })).status, 401)
  })

  test('share the conversations, and each stays where it was', async () => {
    const before = calls()
    for (let i = 0; i < 24; i++) assert.equal((await chat(`Question ${i}`)).status, 200)
    const [a = 0, b = 0] = calls().map((count, i) => count - (before[i] ?? 0))
    assert.equal(a + b, 24)
    assert.ok(a > 2 && b > 2, `${a} and ${b}`)
    const middle = calls()
    for (let i = 0; i < 24; i++) await chat(`Question ${i}`)
    assert.deepEqual(
      calls().map((count, i) => count - (middle[i] ?? 0)),
      [a, b],
    )
  })

  test('take over from one that is full, ill or stopping, and no request fails', async () => {
    const [first, second] = runners as [StubRunner, StubRunner]
    for (const trouble of [
      refuses(new ApiError('queue_full', 'full', { retryAfter: 3 })),
      refuses(new ApiError('runner_unavailable', 'This runner is stopping.', { retryAfter: 1 })),
      refuses(new ApiError('model_loading', 'loading', { retryAfter: 1 })),
    ]) {
      first.script = trouble
      // As many as the budget lets be tried again.
      for (let i = 0; i < 3; i++) assert.equal((await chat(`Again ${i}`)).status, 200)
    }
    second.script = refuses(new ApiError('queue_full', 'full', { retryAfter: 3 }))
    first.script = second.script
    const full = await chat('All are full')
    assert.deepEqual([full.status, full.headers.get('retry-after')], [429, '3'])
  })

  test('are not asked once they are draining', async () => {
    const [first, second] = runners as [StubRunner, StubRunner]
    await tell(first, { status: 'draining' })
    await known()
    const before = first.calls.length
    const asked = second.calls.length
    for (let i = 0; i < 12; i++) await chat(`Draining ${i}`)
    assert.equal(first.calls.length, before)
    assert.equal(second.calls.length, asked + 12)
  })

  test('what has begun to stream is not begun again', async () => {
    for (const runner of runners) {
      runner.script = (response) => {
        hangsAfter(START, { type: 'text-delta', text: 'Half' })(response, runner.calls.at(-1) as never)
        setTimeout(() => response.destroy(), 20)
      }
    }
    const before = calls().reduce((a, b) => a + b)
    assert.equal((await chat('Break')).status, 502)
    assert.equal(
      calls().reduce((a, b) => a + b),
      before + 1,
    )
  })

  test('a mistake of the caller is nobody else’s to make', async () => {
    for (const runner of runners) runner.script = refuses(new ApiError('context_length_exceeded', 'long'))
    const before = calls().reduce((a, b) => a + b)
    assert.equal((await chat('Long')).status, 400)
    assert.equal(
      calls().reduce((a, b) => a + b),
      before + 1,
    )
  })

  test('a model is asked for where it is', async () => {
    const [first] = runners as [StubRunner]
    await tell(first, { models: [MODEL, { ...MODEL, id: 'other' }], loaded: [MODEL.id, 'other'] })
    await known()
    const before = first.calls.length
    const body = { model: 'other', messages: [{ role: 'user', content: 'x' }] }
    for (let i = 0; i < 4; i++) assert.equal((await edge.ask('/v1/chat/completions', { body })).status, 200)
    assert.equal(first.calls.length, before + 4)
    const none = await edge.ask('/v1/chat/completions', { body: { ...body, model: 'none' } })
    assert.equal((await errorOf(none)).code, 'model_not_found')
  })
})

test('without any runner the answer comes at once, and says what to do', async () => {
  const edge = await startEdge({ runnerUrl: '' })
  try {
    const started = performance.now()
    const body = { model: 'stub', messages: [{ role: 'user', content: 'x' }] }
    const response = await edge.ask('/v1/chat/completions', { body })
    const { status, code } = await errorOf(response)
    assert.deepEqual([status, code, response.headers.get('retry-after')], [503, 'runner_unavailable', '2'])
    assert.equal((await edge.ask('/v1/responses', { body: { model: 'stub', input: 'x' } })).status, 503)
    assert.equal((await edge.ask('/health')).status, 503)
    assert.equal((await edge.ask('/v1/conversations')).status, 200)
    assert.ok(performance.now() - started < 2_000)
    const runner = await startStubRunner()
    await runner.stop()
    const gone = { id: 'gone', url: runner.url, status: 'ok', device: 'cpu', models: [MODEL], loaded: [] }
    const load = { running: 0, waiting: 0, slots: 1 }
    await edge.ask(PATH, { body: { ...gone, load }, key: RUNNER_SECRET })
    for (let i = 0; i < 4; i++) {
      const since = performance.now()
      assert.equal((await edge.ask('/v1/chat/completions', { body })).status, 503)
      assert.ok(performance.now() - since < 1_000)
    }
  } finally {
    await edge.stop()
  }
})
