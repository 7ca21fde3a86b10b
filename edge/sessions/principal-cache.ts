/**
 * Principals by the hash of what they showed, so that the hot path asks no database. What is revoked lasts at most
 * `LIFETIME_MS` longer, per isolate.
 */
import type { Principal } from '../context.ts'

const LIFETIME_MS = 30_000
const CAPACITY = 1000

interface Entry {
  principal: Principal
  until: number
}

export class PrincipalCache {
  readonly #entries = new Map<string, Entry>()

  get(hash: string, now: number): Principal | undefined {
    const entry = this.#entries.get(hash)
    if (entry === undefined || entry.until > now) return entry?.principal
    this.#entries.delete(hash)
    return undefined
  }

  set(hash: string, principal: Principal, now: number): void {
    const oldest = this.#entries.size >= CAPACITY ? this.#entries.keys().next().value : undefined
    if (oldest !== undefined) this.#entries.delete(oldest)
    const sessionEnd = principal.sessionExpiresAt === null ? Number.POSITIVE_INFINITY : principal.sessionExpiresAt
    this.#entries.set(hash, { principal, until: Math.min(now + LIFETIME_MS, sessionEnd) })
  }

  clear(): void {
    this.#entries.clear()
  }

  delete(hash: string): void {
    this.#entries.delete(hash)
  }
}
