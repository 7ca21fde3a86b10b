/** The headers that every answer bears, errors and files included. A route may have set one of its own. */
import { createMiddleware } from 'hono/factory'
import type { EdgeEnv } from '../context.ts'
import { isSecure } from '../sessions/origin.ts'

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ')

const HEADERS: readonly (readonly [string, string])[] = [
  ['content-security-policy', CONTENT_SECURITY_POLICY],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()'],
]
const TWO_YEARS = 'max-age=63072000; includeSubDomains'

export function securityHeaders() {
  return createMiddleware<EdgeEnv>(async function secure(c, next) {
    await next()
    // A file's answer has headers that cannot be changed.
    if (!mutable(c.res)) c.res = new Response(c.res.body, c.res)
    for (const [name, value] of HEADERS) if (!c.res.headers.has(name)) c.res.headers.set(name, value)
    if (isSecure(c.req.raw)) c.res.headers.set('strict-transport-security', TWO_YEARS)
  })
}

function mutable(response: Response): boolean {
  try {
    response.headers.delete('x-powered-by')
    return true
  } catch {
    return false
  }
}
