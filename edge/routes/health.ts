import { ApiError } from '#protocol/error.ts'
import { type Health, healthSchema } from '#protocol/session.ts'
import { Runners } from '../runners/runners.ts'
import type { Operation } from './operation.ts'

const RETRY_SECONDS = '2'

export const healthOperation: Operation = {
  method: 'GET',
  path: '/health',
  scope: null,
  tag: 'Health',
  summary: 'Tell whether the default chat model answers',
  description: '503 with Retry-After while it does not.',
  answer: { description: 'It answers', schema: healthSchema },
  async handle(c) {
    const health = await new Runners(c.env, c.get('requestId')).health().catch((error: unknown): Health => {
      if (error instanceof ApiError) return { status: 'starting', detail: error.message }
      throw error
    })
    if (health.status === 'ok') return c.json(health, 200, { 'cache-control': 'no-store' })
    return c.json(health, 503, { 'retry-after': RETRY_SECONDS, 'cache-control': 'no-store' })
  },
}
