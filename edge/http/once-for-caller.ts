/** `Idempotency-Key` for answers with a secret in them: kept so that nobody but who asked can read them. */
import type { EdgeContext } from '../context.ts'
import { credentialOf } from '../sessions/authenticate.ts'
import type { Statement } from '../storage/database.ts'
import { once } from '../storage/idempotency.ts'
import { idempotencyOf } from './idempotency-of.ts'

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
  const request = { ...idempotencyOf(c, body, Date.now()), secret: credentialOf(c) }
  return once(c.env.DB, request, statements, answer)
}
