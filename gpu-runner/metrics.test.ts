import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Metrics } from './metrics.ts'

async function values(metrics: Metrics): Promise<(name: string) => number | undefined> {
  const lines = (await metrics.text()).split('\n').map((line) => /^(\S+?)\{model_name="m"\} (\S+)$/.exec(line))
  const found = new Map(lines.flatMap((match) => (match ? [[match[1], Number(match[2])] as const] : [])))
  return (name) => found.get(name)
}

test('tokens are counted as they come, each with the time since the one before it', async () => {
  const metrics = new Metrics()
  const follow = metrics.follow('m', { prompt: [1, 2, 3] }, 100)
  const text = (...ids: number[]) => ({ type: 'text', id: 1, text: 'x', ids }) as const
  for (const event of [{ type: 'start', id: 1 } as const, text(7), text(8, 9), text(10)]) follow(event)
  const during = await values(metrics)
  assert.equal(during('vllm:generation_tokens_total'), 4)
  assert.equal(during('vllm:time_to_first_token_seconds_count'), 1)
  assert.equal(during('vllm:inter_token_latency_seconds_count'), 3)
  assert.equal(during('vllm:kv_cache_usage_perc'), 0.07)
  assert.equal(during('vllm:num_requests_running'), 1)

  const usage = { promptTokens: 3, completionTokens: 5, cachedTokens: 2 }
  const timings = { queueMs: 0, promptMs: 1, promptPerSecond: 1, generationMs: 1, generationPerSecond: 1 }
  follow({ type: 'finish', id: 1, finishReason: 'stop', usage, timings })
  const after = await values(metrics)
  assert.equal(after('vllm:generation_tokens_total'), 5, 'the end token too')
  assert.equal(after('vllm:prefix_cache_queries_total'), 3)
  assert.equal(after('vllm:prefix_cache_hits_total'), 2)
  assert.equal(after('vllm:kv_cache_usage_perc'), 0)
  assert.equal(after('vllm:num_requests_running'), 0)
})

test('what is cancelled while it waits, or in the middle, leaves nothing behind', async () => {
  const metrics = new Metrics()
  metrics.follow('m', { prompt: [1] }, 10)({ type: 'cancelled', id: 1 })
  const other = metrics.follow('m', { prompt: [1] }, 10)
  other({ type: 'start', id: 2 })
  other({ type: 'text', id: 2, text: 'x', ids: [5] })
  other({ type: 'cancelled', id: 2 })
  const after = await values(metrics)
  assert.equal(after('vllm:num_requests_waiting'), 0)
  assert.equal(after('vllm:num_requests_running'), 0)
  assert.equal(after('vllm:kv_cache_usage_perc'), 0)
  assert.equal(after('vllm:generation_tokens_total'), 1)
})

test('the dashboard asks for nothing but metrics that there are', async () => {
  const dashboard = readFileSync(new URL('../deploy/grafana-dashboard.json', import.meta.url), 'utf8')
  const { panels } = JSON.parse(dashboard) as { panels: { title: string; targets: { expr: string }[] }[] }
  const known = new Set((await new Metrics().text()).matchAll(/^# TYPE (\S+)/gm).map(([, name]) => name))
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const names = [...expr.matchAll(/vllm:\w+/g)].map(([name]) => name.replace(/_bucket$/, ''))
      assert.ok(names.length > 0)
      for (const name of names) assert.ok(known.has(name), `${title} asks for ${name}`)
    }
  }
})
