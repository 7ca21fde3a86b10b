/** Sessions of the page: a random token in a cookie, its SHA-256 here. One made from a key ends with the key. */

import type { KeyLimits } from '#protocol/keys.ts'
import type { Database } from './database.ts'
import { toLimits } from './keys.ts'
import { randomSecret, sha256 } from './secrets.ts'

/** 30 days, in milliseconds. */
export const SESSION_LIFETIME_MS = 30 * 24 * 3600 * 1000

const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/

export interface NewSession {
  owner: string
  scopes: readonly string[]
  /** The key that it was exchanged for; null for the page of a loopback instance. */
  keyId: string | null
}

export interface StoredSession {
  owner: string
  scopes: string[]
  /** Milliseconds since the epoch. */
  expiresAt: number
  keyId: string | null
  limits: KeyLimits | null
}

interface SessionRow {
  owner: string
  scopes: string
  expires_at: number
  key_id: string | null
  limits: string | null
}

/** Whether `text` could be a session's token, so that nothing else is looked up. */
export function hasTokenForm(text: string): boolean {
  return TOKEN_FORM.test(text)
}

/** Makes a session, and clears away those that have ended. */
export async function createSession(
  database: Database,
  session: NewSession,
  now: number,
): Promise<{ token: string; expiresAt: number }> {
  const token = randomSecret()
  const expiresAt = now + SESSION_LIFETIME_MS
  await database.batch([
    database.prepare('DELETE FROM sessions WHERE expires_at <= ?').bind(now),
    database
      .prepare('INSERT INTO sessions (hash, owner, scopes, key_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)')
      .bind(await sha256(token), session.owner, session.scopes.join(' '), session.keyId, now, expiresAt),
  ])
  return { token, expiresAt }
}

/** The live session with this hash, whose key, if it had one, is live too. */
export async function findSession(database: Database, hash: string, now: number): Promise<StoredSession | null> {
  const row = await database
    .prepare(
      `SELECT sessions.owner, COALESCE(keys.scopes, sessions.scopes) AS scopes, sessions.expires_at, sessions.key_id,
         keys.limits
       FROM sessions LEFT JOIN keys ON keys.id = sessions.key_id
       WHERE sessions.hash = ? AND sessions.expires_at > ?
         AND (sessions.key_id IS NULL
           OR (keys.revoked_at IS NULL AND (keys.expires_at IS NULL OR keys.expires_at > ?)))`,
    )
    .bind(hash, now, now)
    .first<SessionRow>()
  if (row === null) return null
  const { owner, scopes, expires_at, key_id, limits } = row
  return { owner, scopes: scopes.split(' '), expiresAt: expires_at, keyId: key_id, limits: toLimits(limits) }
}

export async function deleteSession(database: Database, hash: string): Promise<void> {
  await database.prepare('DELETE FROM sessions WHERE hash = ?').bind(hash).run()
}
