/** What makes a request the same as another one, by its `Idempotency-Key`. */
import { type EdgeContext, principalOf } from '../context.ts'
import type { IdempotentRequest } from '../storage/idempotency.ts'

/** @param body the request's, parsed */
export function idempotencyOf(c: EdgeContext, body: unknown, now: number): IdempotentRequest {
  return {
    owner: principalOf(c).owner,
    key: c.req.header('idempotency-key'),
    request: `${c.req.method} ${c.req.path} ${JSON.stringify(body)}`,
    now,
  }
}
