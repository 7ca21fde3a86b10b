/** Writes down what an answer of a runner's models has used, and gives back what was reserved for it. */
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import type { UsageEntry } from '../storage/usage.ts'
import { accountOf, settle } from './admission.ts'
import type { Account } from './holder.ts'
import { record } from './ledger.ts'

export interface Used {
  readonly model: string
  /** Read. */
  readonly tokens: number
  readonly produced?: number
}

/**
 * Before the answer leaves, so that it is in the ledger whatever happens then; what a limit set aside is given back after it.
 * @param id of the request
 * @param used by each model that took part; none if there was no answer
 */
export async function settleAnswer(c: EdgeContext, id: string, used: readonly Used[]): Promise<void> {
  const account = accountOf(principalOf(c))
  const entries = entriesOf(account, { id, route: c.req.path, startedAt: c.get('startedAt') }, used)
  await Promise.all(entries.map((entry) => record(c, entry)))
  if (account.limits === null) return
  const requestId = c.get('requestId')
  c.executionCtx.waitUntil(
    settle(c.env, account, id, entries).catch((error: unknown) =>
      logFailure({ requestId, method: c.req.method, route: c.req.routePath }, error),
    ),
  )
}

/** Rows of the ledger for what was answered just now. */
export function entriesOf(
  { owner, keyId }: Account,
  { id, route, startedAt }: { readonly id: string; readonly route: string; readonly startedAt: number },
  used: readonly Used[],
): UsageEntry[] {
  return used.map(({ model, tokens, produced = 0 }, i) => ({
    id: `${id}.${i}`,
    owner,
    keyId,
    model,
    route,
    promptTokens: tokens,
    completionTokens: produced,
    cachedTokens: 0,
    startedAt,
    endedAt: Date.now(),
    outcome: 'completed',
  }))
}
