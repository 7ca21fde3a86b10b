/** Answers that count as one request: admitted, limited and written down as every generation is. */
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import { newUsageId } from '../storage/usage.ts'
import { accountOf, admit, renewing, settle } from './admission.ts'
import { record } from './ledger.ts'

/**
 * @param model what it is written down under
 * @param answer gives what is answered, as JSON
 * @throws ApiError 429 over a limit, and what `answer` throws
 */
export async function counted(c: EdgeContext, model: string, answer: () => Promise<object>): Promise<Response> {
  const requestId = c.get('requestId')
  const account = accountOf(principalOf(c))
  const usageId = newUsageId()
  const { headers } = await admit(c.env, account, usageId, [], requestId)
  const reservation = renewing(c.env, account, usageId)
  try {
    const body = JSON.stringify(await answer())
    const startedAt = c.get('startedAt')
    const endedAt = Date.now()
    const { owner, keyId } = account
    const counts = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 }
    const entry = { id: `${usageId}.0`, owner, keyId, model, route: c.req.routePath, ...counts, startedAt, endedAt }
    await record(c, { ...entry, outcome: 'completed' })
    return new Response(body, {
      headers: {
        ...headers,
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-served-by': 'edge',
        'openai-processing-ms': String(endedAt - startedAt),
      },
    })
  } finally {
    reservation[Symbol.dispose]()
    if (account.limits !== null) {
      c.executionCtx.waitUntil(
        settle(c.env, account, usageId, []).catch((error: unknown) =>
          logFailure({ requestId, method: c.req.method, route: c.req.routePath }, error),
        ),
      )
    }
  }
}
