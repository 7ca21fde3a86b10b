/** `/session`: how the page signs in and out. The cookie is the browser's; no script can read it. */
import { ApiError } from '#protocol/error.ts'
import { EVERY_SCOPE } from '#protocol/scopes.ts'
import { type Session, sessionSchema, signInSchema } from '#protocol/session.ts'
import type { EdgeContext } from '../context.ts'
import { configOf } from '../env.ts'
import { readBody } from '../http/body.ts'
import { authenticate, forget } from '../sessions/authenticate.ts'
import { readSessionCookie, sessionCookie } from '../sessions/cookie.ts'
import { failedSignIn } from '../sessions/failures.ts'
import { hasLoopbackHost, isSameOrigin } from '../sessions/origin.ts'
import { findKey, hasKeyForm, LOCAL_OWNER } from '../storage/keys.ts'
import { sha256 } from '../storage/secrets.ts'
import { createSession, deleteSession, type NewSession } from '../storage/sessions.ts'
import type { Operation } from './operation.ts'

const PATH = '/session'
const SIGNED_OUT: Session = { signed_in: false, owner: null, expires_at: null }
const answer = { description: 'Whether the page is signed in', schema: sessionSchema }

export const sessionOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: PATH,
    scope: null,
    tag: 'Session',
    summary: 'Tell whether the page is signed in',
    answer,
    async handle(c) {
      const principal = await authenticate(c).catch((error: unknown) => {
        if (error instanceof ApiError) return null
        throw error
      })
      if (!principal) return c.json(SIGNED_OUT)
      const { owner, sessionExpiresAt } = principal
      const expires_at = sessionExpiresAt === null ? null : Math.floor(sessionExpiresAt / 1000)
      return c.json({ signed_in: true, owner, expires_at } satisfies Session)
    },
  },
  {
    method: 'POST',
    path: PATH,
    scope: null,
    tag: 'Session',
    summary: 'Sign the page in',
    description: 'On an instance bound to loopback the page needs nothing; elsewhere a key is exchanged for a cookie.',
    body: signInSchema,
    answer,
    errors: ['invalid_api_key', 'forbidden_origin', 'rate_limit_exceeded'],
    async handle(c) {
      const { key } = await readBody(c.req.raw, signInSchema, { mayBeEmpty: true })
      if (!isSameOrigin(c.req.raw)) throw new ApiError('forbidden_origin', 'Only the page itself may sign itself in.')
      const session = key === undefined ? ownPage(c) : await byKey(c, key)
      const { token, expiresAt } = await createSession(c.env.DB, session, Date.now())
      c.header('set-cookie', sessionCookie(c.req.raw, token))
      const expires_at = Math.floor(expiresAt / 1000)
      return c.json({ signed_in: true, owner: session.owner, expires_at } satisfies Session)
    },
  },
  {
    method: 'DELETE',
    path: PATH,
    scope: 'conversations',
    tag: 'Session',
    summary: 'Sign the page out',
    answer,
    async handle(c) {
      const token = readSessionCookie(c.req.raw)
      if (token !== null) {
        const hash = await sha256(token)
        await deleteSession(c.env.DB, hash)
        forget(hash)
      }
      c.header('set-cookie', sessionCookie(c.req.raw, null))
      return c.json(SIGNED_OUT)
    },
  },
]

/** The page of an instance that only this machine reaches, under a name that only this machine has. */
function ownPage(c: EdgeContext): NewSession {
  if (!configOf(c.env).loopback) throw new ApiError('missing_api_key', 'Sign in with an API key.')
  if (!hasLoopbackHost(c.req.raw)) {
    throw new ApiError('forbidden_origin', 'This instance signs its page in under localhost, 127.0.0.1 or [::1] only.')
  }
  return { owner: LOCAL_OWNER, scopes: [EVERY_SCOPE], keyId: null }
}

async function byKey(c: EdgeContext, key: string): Promise<NewSession> {
  const stored = hasKeyForm(key) ? await findKey(c.env.DB, await sha256(key), Date.now()) : null
  if (!stored) throw failedSignIn(c, new ApiError('invalid_api_key', 'This API key is not valid.', { param: 'key' }))
  return { owner: stored.owner, scopes: stored.scopes, keyId: stored.id }
}
