/** Answers from a model at the edge: admitted, limited and written down as every other generation is. */
import type { PublishedModel } from '#protocol/published-model.ts'
import { accountOf, admit, renewing, settle } from '../accounts/admission.ts'
import { record } from '../accounts/ledger.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import { newUsageId } from '../storage/usage.ts'
import { publishedModels } from './published-models.ts'

/**
 * @param answer computes what is answered, as JSON
 * @throws ApiError 404 if there is no such model for who asks, 429 over a limit, and what `answer` throws
 */
export async function serve(
  c: EdgeContext,
  id: string,
  answer: (model: PublishedModel) => Promise<object>,
): Promise<Response> {
  const requestId = c.get('requestId')
  const principal = principalOf(c)
  const account = accountOf(principal)
  const usageId = newUsageId()
  const { headers } = await admit(c.env, account, usageId, [], requestId)
  const reservation = renewing(c.env, account, usageId)
  try {
    const model = await publishedModels.find(c, principal.owner, id)
    const body = JSON.stringify(await answer(model))
    const startedAt = c.get('startedAt')
    const endedAt = Date.now()
    const { owner, keyId } = account
    const counts = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 }
    const entry = { id: `${usageId}.0`, owner, keyId, model: id, route: c.req.path, ...counts, startedAt, endedAt }
    record(c, { ...entry, outcome: 'completed' })
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
