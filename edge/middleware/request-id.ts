import { createMiddleware } from 'hono/factory'
import { uuidv7 } from 'uuidv7'
import type { EdgeEnv } from '../context.ts'

const SANE = /^[A-Za-z0-9._-]{1,64}$/

/** Names the request by the caller's `x-request-id`, if it is a sane one, else by a new one, and answers with it. */
export function requestId() {
  return createMiddleware<EdgeEnv>(async function nameRequest(c, next) {
    const given = c.req.header('x-request-id')
    const id = given !== undefined && SANE.test(given) ? given : `req_${uuidv7().replaceAll('-', '')}`
    c.set('requestId', id)
    c.set('startedAt', Date.now())
    await next()
    c.res.headers.set('x-request-id', id)
  })
}
