/** Who asks: by the key in the Authorization header, else by the page's cookie, else by a key in the body. */
import { ApiError } from '#protocol/error.ts'
import type { EdgeContext, Principal } from '../context.ts'
import { configOf } from '../env.ts'
import { findKey, hasKeyForm } from '../storage/keys.ts'
import { sha256 } from '../storage/secrets.ts'
import { findSession, hasTokenForm } from '../storage/sessions.ts'
import { readSessionCookie } from './cookie.ts'
import { failedSignIn } from './failures.ts'
import { keyInBody, mayShowKeyInBody } from './key-in-body.ts'
import { hasLoopbackHost, isProvenSameOrigin } from './origin.ts'
import { PrincipalCache } from './principal-cache.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD'])

/** One an isolate: it saves a database lookup each request. */
const cache = new PrincipalCache()

/**
 * The principal, or null when the request shows nothing.
 * @throws ApiError 401 for a key that is not good, 429 after many such, 403 for a cookie that another site's page sends along
 */
export async function authenticate(c: EdgeContext): Promise<Principal | null> {
  const authorization = c.req.header('authorization')
  if (authorization !== undefined) {
    // DeepL's clients name it by their own word.
    const key = /^(?:Bearer|DeepL-Auth-Key) +(\S+) *$/i.exec(authorization)?.[1]
    return authenticateKey(c, key ?? '')
  }
  const shown = await authenticateCookie(c)
  if (shown !== null || !mayShowKeyInBody(c)) return shown
  const key = await keyInBody(c)
  return key === null ? null : authenticateKey(c, key)
}

/** @throws ApiError 401, or 429 after too many that were not good */
export async function authenticateKey(c: EdgeContext, key: string): Promise<Principal> {
  if (!hasKeyForm(key)) throw failedSignIn(c, invalidKey(key))
  const principal = await remembered(await sha256(key), async (hash, now) => {
    const stored = await findKey(c.env.DB, hash, now)
    return (
      stored && {
        owner: stored.owner,
        scopes: stored.scopes,
        sessionExpiresAt: null,
        keyId: stored.id,
        limits: stored.limits,
      }
    )
  })
  if (principal === null) throw failedSignIn(c, invalidKey(key))
  return principal
}

/** What the caller showed: a key, or the page's token. Nobody else has it, and nothing keeps it. */
export function credentialOf(c: EdgeContext): string {
  const shown = c.req.header('authorization') ?? readSessionCookie(c.req.raw)
  if (shown === null) throw new TypeError('a public route has no credential')
  return shown
}

async function authenticateCookie(c: EdgeContext): Promise<Principal | null> {
  const token = readSessionCookie(c.req.raw)
  if (token === null || !hasTokenForm(token)) return null
  if (configOf(c.env).loopback && !hasLoopbackHost(c.req.raw)) return null
  const principal = await remembered(await sha256(token), async (hash, now) => {
    const stored = await findSession(c.env.DB, hash, now)
    if (!stored) return null
    const { owner, scopes, expiresAt, keyId, limits } = stored
    return { owner, scopes, sessionExpiresAt: expiresAt, keyId, limits }
  })
  if (principal !== null && !SAFE_METHODS.has(c.req.method) && !isProvenSameOrigin(c.req.raw)) {
    throw new ApiError('forbidden_origin', 'A session may change things only from the page that it belongs to.')
  }
  return principal
}

/** Forgets everybody: what keys may do has changed. */
export function forgetAll(): void {
  cache.clear()
}

/** Forgets a session that was signed out. */
export function forget(hash: string): void {
  cache.delete(hash)
}

async function remembered(
  hash: string,
  find: (hash: string, now: number) => Promise<Principal | null>,
): Promise<Principal | null> {
  const now = Date.now()
  const known = cache.get(hash, now)
  if (known !== undefined) return known
  const found = await find(hash, now)
  if (found !== null) cache.set(hash, found, now)
  return found
}

function invalidKey(key: string): ApiError {
  return new ApiError('invalid_api_key', `Incorrect API key provided: ${redact(key)}.`)
}

/** Enough to tell one's own keys apart. */
function redact(key: string): string {
  return key.length < 16 || !/^[\x21-\x7e]*$/.test(key) ? '***' : `${key.slice(0, 7)}***${key.slice(-4)}`
}
