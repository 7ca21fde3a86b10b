/**
 * API keys: `tdm_` and 256 random bits, stored as SHA-256. Runs in Node too: `npm start` makes the first key with it.
 */
import { uuidv7 } from 'uuidv7'
import type { Database } from './database.ts'
import { randomSecret, sha256 } from './secrets.ts'

/** The owner of the key that the first run makes, and of the page that a loopback instance signs in: one person. */
export const LOCAL_OWNER = 'local'

const KEY_FORM = /^tdm_[A-Za-z0-9_-]{43}$/

export interface NewKey {
  name: string
  /** From `SCOPES`, or `['*']`. */
  scopes: readonly string[]
  owner: string
  /** Milliseconds since the epoch; without it the key does not expire. */
  expiresAt?: number
}

export interface StoredKey {
  id: string
  owner: string
  scopes: string[]
}

interface KeyRow {
  id: string
  owner: string
  scopes: string
}

/** Makes a key. `key` is shown this once; only its hash is kept. */
export async function createKey(database: Database, options: NewKey): Promise<{ id: string; key: string }> {
  const id = `key_${uuidv7().replaceAll('-', '')}`
  const key = `tdm_${randomSecret()}`
  await database
    .prepare('INSERT INTO keys (id, hash, name, owner, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)')
    .bind(
      id,
      await sha256(key),
      options.name,
      options.owner,
      options.scopes.join(' '),
      Date.now(),
      options.expiresAt ?? null,
    )
    .run()
  return { id, key }
}

/** Ends a key, and every session that it was exchanged for, within the time that a lookup is cached. */
export async function revokeKey(database: Database, id: string): Promise<boolean> {
  const { meta } = await database
    .prepare('UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')
    .bind(Date.now(), id)
    .run()
  return meta.changes > 0
}

/** Whether `text` could be a key, so that nothing else is looked up. */
export function hasKeyForm(text: string): boolean {
  return KEY_FORM.test(text)
}

/** The key with this hash that is neither expired nor revoked. */
export async function findKey(database: Database, hash: string, now: number): Promise<StoredKey | null> {
  const row = await database
    .prepare(
      `SELECT id, owner, scopes FROM keys
       WHERE hash = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`,
    )
    .bind(hash, now)
    .first<KeyRow>()
  return row === null ? null : { id: row.id, owner: row.owner, scopes: row.scopes.split(' ') }
}
