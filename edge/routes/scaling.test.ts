import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { type Edge, startEdge } from '../testing/edge.ts'

describe('GET /v1/scaling', () => {
  let metrics = ''
  const runner = createServer((request, response) => {
    response.writeHead(request.url === '/metrics' ? 200 : 404).end(metrics)
  })
  let edge: Edge
  before(async () => {
    runner.listen(0, '127.0.0.1')
    await once(runner, 'listening')
    edge = await startEdge({ runnerUrl: `http://127.0.0.1:${(runner.address() as AddressInfo).port}` })
  })
  after(async () => {
    await edge.stop()
    runner.closeAllConnections()
    runner.close()
  })

  it('gives what waits and runs', async () => {
    metrics = 'vllm:num_requests_waiting{m="a"} 2\nvllm:num_requests_running{m="a"} 16\ntandem:slots{m="a"} 16\n'
    const response = await edge.ask('/v1/scaling')
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.deepEqual(await response.json(), { waiting: 2, running: 16, slots: 16, runners: 1 })
  })

  it('is closed to a key without the scope admin', async () => {
    const { key } = await edge.newKey({ scopes: ['chat', 'models'] })
    assert.equal((await edge.ask('/v1/scaling', { key })).status, 403)
    assert.equal((await edge.ask('/v1/scaling', { key: null })).status, 401)
  })

  it('counts no runner where none answers', async () => {
    runner.closeAllConnections()
    runner.close()
    await once(runner, 'close')
    const response = await edge.ask('/v1/scaling')
    assert.deepEqual(await response.json(), { waiting: 0, running: 0, slots: 0, runners: 0 })
  })
})
