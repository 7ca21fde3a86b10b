/** `GET /metrics`: what the runner has done, for Prometheus. */
import { Runners } from '../runners/runners.ts'
import type { Operation } from './operation.ts'

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8'

export const metricsOperation: Operation = {
  method: 'GET',
  path: '/metrics',
  scope: 'admin',
  tag: 'Health',
  summary: 'Read the metrics',
  description: 'Queue, batch, KV cache, tokens and times in Prometheus’ text format, under vLLM’s names.',
  answer: { description: 'The metrics', contentType: 'text/plain' },
  errors: ['runner_unavailable'],
  async handle(c) {
    const metrics = await new Runners(c.env, c.get('requestId')).metrics()
    return c.body(metrics, 200, { 'content-type': TEXT_FORMAT, 'cache-control': 'no-store' })
  },
}
