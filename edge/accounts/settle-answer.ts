/** Writes down what an answer of a runner's models has used, and gives back what was reserved for it. */
import { accountOf, settle } from './admission.ts'
import { record } from './ledger.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import type { UsageEntry } from '../storage/usage.ts'

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
  const { owner, keyId, limits } = account
  const entries = used.map(
    ({ model, tokens, produced = 0 }, i): UsageEntry => ({
      id: `${id}.${i}`,
      owner,
      keyId,
      model,
      route: c.req.path,
      promptTokens: tokens,
      completionTokens: produced,
      cachedTokens: 0,
      startedAt: c.get('startedAt'),
      endedAt: Date.now(),
      outcome: 'completed',
    }),
  )
  await Promise.all(entries.map((entry) => record(c, entry)))
  if (limits === null) return
  const requestId = c.get('requestId')
  c.executionCtx.waitUntil(
    settle(c.env, account, id, entries).catch((error: unknown) =>
      logFailure({ requestId, method: c.req.method, route: c.req.routePath }, error),
    ),
  )
}
