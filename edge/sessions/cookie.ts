/** The session's cookie. */
import { SESSION_LIFETIME_MS } from '../storage/sessions.ts'
import { isSecure } from './origin.ts'

/** Cookies ignore ports, so that two instances on one machine need two names. */
function cookieName(request: Request): string {
  if (isSecure(request)) return '__Host-tandem_session'
  const port = /:(\d{1,5})$/.exec(request.headers.get('host') ?? '')?.[1]
  return port === undefined ? 'tandem_session' : `tandem_session_${port}`
}

export function readSessionCookie(request: Request): string | null {
  const name = cookieName(request)
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return null
}

/** The Set-Cookie header that signs in with `token`, or out with null. */
export function sessionCookie(request: Request, token: string | null): string {
  const age = token === null ? 0 : SESSION_LIFETIME_MS / 1000
  const secure = isSecure(request) ? '; Secure' : ''
  return `${cookieName(request)}=${token ?? ''}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`
}
