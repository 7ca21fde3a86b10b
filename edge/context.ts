/** What every handler is given. */
import type { Context } from 'hono'
import type { KeyLimits } from '#protocol/keys.ts'
import { EVERY_SCOPE, type Scope } from '#protocol/scopes.ts'
import type { Bindings } from './env.ts'

/** Who asks, and what they may ask. */
export interface Principal {
  /** Everything stored is kept under this name. */
  owner: string
  /** `*` is every scope. */
  scopes: readonly string[]
  /** A session's end in Unix seconds, or null for a key. */
  sessionExpiresAt: number | null
  /** The key shown, or the one that the session was exchanged for; null for the page of a loopback instance. */
  keyId: string | null
  /** The key's; null: none. */
  limits: KeyLimits | null
}

export interface EdgeEnv {
  Bindings: Bindings
  Variables: {
    requestId: string
    /** Milliseconds since the epoch. */
    startedAt: number
    /** Absent on a public route. */
    principal: Principal | undefined
    /** `x-ratelimit-*` of an answer that refuses. */
    rateLimits: Readonly<Record<string, string>> | undefined
  }
}

export type EdgeContext = Context<EdgeEnv>

/** Whether `principal` may call what `scope` guards. */
export function mayCall(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(EVERY_SCOPE) || principal.scopes.includes(scope)
}

/** Who asks, on a route that is not public. */
export function principalOf(c: EdgeContext): Principal {
  const principal = c.get('principal')
  if (!principal) throw new TypeError('a public route has no principal')
  return principal
}
