/** What every handler is given. */
import type { Context } from 'hono'
import type { Bindings } from './env.ts'
import type { Scope } from './storage/scopes.ts'

/** Who asks, and what they may ask. */
export interface Principal {
  /** Everything stored is kept under this name. */
  owner: string
  /** `*` is every scope. */
  scopes: readonly string[]
  /** A session's end in Unix seconds, or null for a key. */
  sessionExpiresAt: number | null
}

export interface EdgeEnv {
  Bindings: Bindings
  Variables: {
    requestId: string
    /** Milliseconds since the epoch. */
    startedAt: number
    /** Absent on a public route. */
    principal: Principal | undefined
  }
}

export type EdgeContext = Context<EdgeEnv>

/** Whether `principal` may call what `scope` guards. */
export function mayCall(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes('*') || principal.scopes.includes(scope)
}

/** Who asks, on a route that is not public. */
export function principalOf(c: EdgeContext): Principal {
  const principal = c.get('principal')
  if (!principal) throw new TypeError('a public route has no principal')
  return principal
}
