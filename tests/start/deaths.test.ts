/** Processes that die at the worst moment, and what is left of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createParser } from 'eventsource-parser'
import { MODEL } from '../support/model.ts'
import { gone, startTandem } from '../support/tandem.ts'

const RUNNER = 'gpu-runner/main.ts'
const EDGE = 'scripts/edge-host.ts'

const chat = (parameters: object) => ({
  json: { model: MODEL, messages: [{ role: 'user', content: 'Tell me a long story.' }], ...parameters },
})

/** The `data` of each event of a stream; `onFirst` is called when the first text has come. */
async function readEvents(response: Response, onFirst: () => void): Promise<string[]> {
  const events: string[] = []
  const parser = createParser({
    onEvent: ({ data }) => {
      events.push(data)
      if (events.length === 3) onFirst()
    },
  })
  const decoder = new TextDecoder()
  assert.ok(response.body)
  for await (const chunk of response.body) parser.feed(decoder.decode(chunk, { stream: true }))
  return events
}

test('a runner killed mid-stream: one error event, 503 meanwhile, then all is well again', async () => {
  await using tandem = await startTandem()
  const runner = tandem.find(RUNNER)
  const stream = await tandem.fetch('/v1/chat/completions', chat({ stream: true, max_tokens: 4000, temperature: 1 }))
  assert.equal(stream.status, 200)
  const events = await readEvents(stream, () => process.kill(runner.pid, 'SIGKILL'))
  const errors = events.filter((data) => data !== '[DONE]' && 'error' in JSON.parse(data))
  assert.equal(errors.length, 1)
  assert.equal(events.at(-1), errors[0], 'nothing follows the error')
  const { error } = JSON.parse(errors[0] ?? '') as { error: Record<string, unknown> }
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type'])
  assert.equal(error.type, 'server_error')

  for (const [route, init] of [['/v1/chat/completions', chat({ max_tokens: 1 })], ['/health']] as const) {
    const refused = await tandem.fetch(route, init)
    assert.equal(refused.status, 503, await refused.text())
    assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  }

  await tandem.healthy()
  const answered = await tandem.fetch('/v1/chat/completions', chat({ max_tokens: 1 }))
  assert.equal(answered.status, 200, await answered.text())
  assert.ok(tandem.lines.includes('The runner stopped (signal SIGKILL); starting it again in 0.2 s.'))
  assert.notEqual(tandem.find(RUNNER).pid, runner.pid)
})

test('an edge that is killed comes back with its data, and leaves no workerd behind', async () => {
  await using tandem = await startTandem()
  const workerd = tandem.find('/workerd serve')
  process.kill(tandem.find(EDGE).pid, 'SIGKILL')
  await gone([workerd])
  await tandem.healthy()
  assert.equal((await tandem.fetch('/v1/models')).status, 200)
})

test('a workerd that is killed comes back', async () => {
  await using tandem = await startTandem()
  process.kill(tandem.find('/workerd serve').pid, 'SIGKILL')
  await tandem.healthy()
  assert.equal((await tandem.fetch('/v1/models')).status, 200)
})

test('a supervisor that is killed takes everything with it', async () => {
  await using tandem = await startTandem()
  const processes = tandem.processes()
  assert.ok(processes.length >= 4, 'supervisor, runner, edge and workerd')
  process.kill(tandem.pid, 'SIGKILL')
  await gone(processes)
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} in the middle of an answer ends everything within ten seconds`, async () => {
    await using tandem = await startTandem()
    const stream = await tandem.fetch('/v1/chat/completions', chat({ stream: true, max_tokens: 4000, temperature: 1 }))
    const started = performance.now()
    const { code } = await tandem.stop(signal)
    assert.ok(performance.now() - started < 10_000)
    assert.equal(code, 0)
    await stream.body?.cancel().catch(() => undefined)
  })
}
