import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MODEL } from '../support/model.ts'
import { key, openai, url } from '../support/shared.ts'

async function read(): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]))
}

test('metrics count what was asked and answered', async () => {
  const label = `{model_name="${MODEL}"}`
  const before = await read()
  const { usage } = await openai().chat.completions.create({
    model: MODEL,
    messages: [{ role: 'user', content: 'Count to ten.' }],
    max_tokens: 12,
  })
  const after = await read()
  const grew = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
  assert.equal(grew(`vllm:generation_tokens_total${label}`), usage?.completion_tokens)
  assert.equal(grew(`vllm:prompt_tokens_total${label}`), usage?.prompt_tokens)
  assert.equal(grew(`vllm:time_to_first_token_seconds_count${label}`), 1)
  assert.equal(grew(`vllm:e2e_request_latency_seconds_count${label}`), 1)
  assert.equal(after.get(`vllm:num_requests_running${label}`), 0)
})

test('the load is that of one runner with nothing to do', async () => {
  const response = await fetch(`${url}/v1/scaling`, { headers: { authorization: `Bearer ${key}` } })
  const { slots, ...load } = (await response.json()) as Record<string, number>
  assert.deepEqual(load, { waiting: 0, running: 0, runners: 1 })
  assert.ok(slots !== undefined && slots >= 1)
})

test('metrics need a key', async () => {
  assert.equal((await fetch(`${url}/metrics`)).status, 401)
})
