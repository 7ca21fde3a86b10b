import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import type { EndedGeneration } from '#protocol/bill.ts'
import { MOST_TOLD, type RunnerReport } from '#protocol/runners.ts'
import { EndedGenerations } from './ended-generations.ts'
import { Heartbeats } from './heartbeats.ts'

const ended = (name: number): EndedGeneration => ({
  bill: { id: `use_${name}`, request: 'use', of: 1, keyId: null, route: '/v1/completions' },
  owner: 'ann',
  model: 'm',
  promptTokens: 1,
  completionTokens: 1,
  cachedTokens: 0,
  startedAt: 0,
  endedAt: 1,
  outcome: 'completed',
})

test('what has ended is told until the edge has written it down, and then no more', async () => {
  const told: string[][] = []
  /** What the edge answers: at last everything is well. */
  const answers = [500, 204, 500]
  const edge = createServer(async (request, response) => {
    const report = (await json(request)) as RunnerReport
    told.push((report.ended ?? []).map(({ bill }) => bill.id))
    response.writeHead(answers.shift() ?? 204).end()
  })
  await new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve))
  const kept = new EndedGenerations()
  for (let name = 0; name < MOST_TOLD + 2; name++) kept.add(ended(name))
  const heartbeats = new Heartbeats({
    edge: `http://127.0.0.1:${(edge.address() as AddressInfo).port}`,
    secret: 'a secret',
    url: 'http://127.0.0.1:1',
    describe: () => ({
      status: 'ok',
      device: 'cpu',
      models: [],
      loaded: [],
      load: { running: 0, waiting: 0, slots: 1 },
    }),
    ended: kept,
  })
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.equal(await heartbeats.tellAll(), false, 'the third is refused')
  assert.equal(await heartbeats.tellAll(), true)
  heartbeats[Symbol.dispose]()
  edge.close()
  edge.closeAllConnections()
  const first = Array.from({ length: MOST_TOLD }, (_, name) => `use_${name}`)
  const rest = [`use_${MOST_TOLD}`, `use_${MOST_TOLD + 1}`]
  assert.deepEqual(told, [first, first, rest, rest])
})

test('when it is too much, the oldest is given up, and that is said', (t) => {
  const logged = t.mock.method(console, 'error', () => {})
  const kept = new EndedGenerations(2)
  for (let name = 0; name < 3; name++) kept.add(ended(name))
  assert.deepEqual(
    kept.first(10).map(({ bill }) => bill.id),
    ['use_1', 'use_2'],
  )
  assert.match(String(logged.mock.calls[0]?.arguments[0]), /usage-lost.*use_0/)
})
