/** `Idempotency-Key` for answers with a secret in them: kept so that nobody but who asked can read them. */
import { type EdgeContext, principalOf } from '../context.ts'
import { credentialOf } from '../sessions/authenticate.ts'
import type { Statement } from '../storage/database.ts'
import { once } from '../storage/idempotency.ts'

/**
 * Runs `statements` with the answer they give, once for a key.
 * @param body the request's, parsed
 * @throws ApiError 409 if the key was used for another request, 400 if it is none
 */
export function onceForCaller<T>(
  c: EdgeContext,
  body: unknown,
  statements: readonly Statement[],
  answer: T,
): Promise<T> {
  const request = {
    owner: principalOf(c).owner,
    key: c.req.header('idempotency-key'),
    request: `${c.req.method} ${c.req.path} ${JSON.stringify(body)}`,
    now: Date.now(),
    secret: credentialOf(c),
  }
  return once(c.env.DB, request, statements, answer)
}
