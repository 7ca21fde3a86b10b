/** Writes down what an answer of a runner's embedding model has used, and gives back what was reserved for it. */
import { accountOf, settle } from '../accounts/admission.ts'
import { record } from '../accounts/ledger.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import type { UsageEntry } from '../storage/usage.ts'

/**
 * After the answer: at once where a limit has to know it, else with what else is answered in this moment.
 * @param id of the request
 * @param used undefined if there was no answer
 */
export function settleAnswer(
  c: EdgeContext,
  id: string,
  used: { readonly model: string; readonly tokens: number } | undefined,
): void {
  const account = accountOf(principalOf(c))
  const { owner, keyId, limits } = account
  const entries = used
    ? [
        {
          id: `${id}.0`,
          owner,
          keyId,
          model: used.model,
          route: c.req.path,
          promptTokens: used.tokens,
          completionTokens: 0,
          cachedTokens: 0,
          startedAt: c.get('startedAt'),
          endedAt: Date.now(),
          outcome: 'completed',
        } satisfies UsageEntry,
      ]
    : []
  if (limits === null) {
    for (const entry of entries) record(c, entry)
    return
  }
  const requestId = c.get('requestId')
  c.executionCtx.waitUntil(
    settle(c.env, account, id, entries).catch((error: unknown) =>
      logFailure({ requestId, method: c.req.method, route: c.req.routePath }, error),
    ),
  )
}
