/** `Idempotency-Key` for answers that take a while: the first request works, and its answer is given to all others. */

import { ApiError } from '#protocol/error.ts'
import { accountOf, rateLimits } from '../accounts/admission.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import * as claims from '../storage/claims.ts'

const RENEW_MS = claims.CLAIM_MS / 3
/** An answer's own; the others are the same for all, or of the moment. */
const KEPT_HEADERS = ['x-served-by', 'openai-processing-ms']

/**
 * @param body the request's, parsed
 * @throws ApiError 409 if the key is another request's, or its request is still at work
 */
export async function idempotent(c: EdgeContext, body: unknown, answer: () => Promise<Response>): Promise<Response> {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return answer()
  const claimed = await claims.claim(c.env.DB, {
    owner: principalOf(c).owner,
    key,
    request: `${c.req.method} ${c.req.path} ${JSON.stringify(body)}`,
    now: Date.now(),
  })
  if (!('holder' in claimed)) return repeated(c, claimed)
  const work = once(c, claimed, answer)
  // Even if the client goes: what it leaves must not look as if it were at work.
  c.executionCtx.waitUntil(work.catch(() => {}))
  return work
}

async function once(c: EdgeContext, claim: claims.Claim, answer: () => Promise<Response>): Promise<Response> {
  // One that fails is made up for by the next.
  const timer = setInterval(() => void claims.renew(c.env.DB, claim, Date.now()).catch(() => {}), RENEW_MS)
  try {
    const response = await answer()
    const headers = KEPT_HEADERS.map((name) => [name, response.headers.get(name) ?? ''])
    const own = { body: await response.clone().text(), headers: Object.fromEntries(headers) }
    const kept = await claims.fulfil(c.env.DB, claim, own, Date.now())
    return kept.body === own.body ? response : await repeated(c, kept)
  } catch (error) {
    // What failed may be tried again.
    await claims.abandon(c.env.DB, claim)
    throw error
  } finally {
    clearInterval(timer)
  }
}

async function repeated(c: EdgeContext, { body, headers }: claims.KeptAnswer): Promise<Response> {
  const limits = await rateLimits(c.env, accountOf(principalOf(c)))
  const common = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return new Response(body, { headers: { ...common, ...headers, ...limits } })
}

/** @throws ApiError for a stream, which cannot be given again */
export function refuseKeyedStream(c: EdgeContext, stream: boolean): void {
  if (!stream || c.req.header('idempotency-key') === undefined) return
  const message = 'Idempotency-Key does not go with stream here; a response that is stored takes both.'
  throw new ApiError('unsupported_parameter', message, { param: 'stream' })
}
