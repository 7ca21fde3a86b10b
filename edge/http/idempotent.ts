/** `Idempotency-Key` for answers that take a while: the first request claims the key, and its answer is given again. */
import { ApiError } from '#protocol/error.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import * as answers from '../storage/idempotency.ts'

/**
 * @param body the request's, parsed
 * @throws ApiError 409 if the key is another request's, or its request is still at work
 */
export async function idempotent(c: EdgeContext, body: unknown, answer: () => Promise<Response>): Promise<Response> {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return answer()
  const request = {
    owner: principalOf(c).owner,
    key,
    request: `${c.req.method} ${c.req.path} ${JSON.stringify(body)}`,
    now: Date.now(),
  }
  const known = await answers.claim(c.env.DB, request)
  if (known !== null) return new Response(known, { headers: { 'content-type': 'application/json' } })
  try {
    const response = await answer()
    await answers.fulfil(c.env.DB, request, await response.clone().text())
    return response
  } catch (error) {
    // What failed may be tried again.
    await answers.abandon(c.env.DB, request)
    throw error
  }
}

/** @throws ApiError for a stream, which cannot be given again */
export function refuseKeyedStream(c: EdgeContext, stream: boolean): void {
  if (!stream || c.req.header('idempotency-key') === undefined) return
  const message = 'Idempotency-Key does not go with stream here; /v1/responses takes both.'
  throw new ApiError('unsupported_parameter', message, { param: 'stream' })
}
