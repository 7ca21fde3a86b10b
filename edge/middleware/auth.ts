/** Deny by default: whoever asks for a route that is not public shows a key, or the page's cookie from its own origin. */

import { createMiddleware } from 'hono/factory'
import { ApiError } from '#protocol/error.ts'
import type { EdgeEnv } from '../context.ts'
import { authenticate } from '../sessions/authenticate.ts'
import { isPublic } from './public-routes.ts'

export function auth() {
  return createMiddleware<EdgeEnv>(async function requireKey(c, next) {
    if (!isPublic(c.req.method, rawPath(c.req.url))) {
      const principal = await authenticate(c)
      if (principal === null) {
        throw new ApiError(
          'missing_api_key',
          "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        )
      }
      c.set('principal', principal)
    }
    await next()
  })
}

/** The path as it was sent: `URL` would tidy it. */
function rawPath(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start < 0) return '/'
  const end = url.slice(start).search(/[?#]/)
  return end < 0 ? url.slice(start) : url.slice(start, start + end)
}
