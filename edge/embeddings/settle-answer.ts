/** Writes down what an answer of a runner's embedding model has used, and gives back what was reserved for it. */
import { accountOf, settle } from '../accounts/admission.ts'
import { record } from '../accounts/ledger.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import type { UsageEntry } from '../storage/usage.ts'

/**
 * Before the answer leaves, so that it is in the ledger whatever happens then; what a limit set aside is given back after it.
 * @param id of the request
 * @param used undefined if there was no answer
 */
export async function settleAnswer(
  c: EdgeContext,
  id: string,
  used: { readonly model: string; readonly tokens: number } | undefined,
): Promise<void> {
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
  await Promise.all(entries.map((entry) => record(c, entry)))
  if (limits === null) return
  const requestId = c.get('requestId')
  c.executionCtx.waitUntil(
    settle(c.env, account, id, entries).catch((error: unknown) =>
      logFailure({ requestId, method: c.req.method, route: c.req.routePath }, error),
    ),
  )
}
