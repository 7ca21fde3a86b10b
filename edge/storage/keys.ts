/**
 * API keys: `tdm_` and 256 random bits, stored as SHA-256. Runs in Node too: `npm start` makes the first key with it.
 */
import { uuidv7 } from 'uuidv7'
import type { PageQuery } from '#protocol/conversations.ts'
import { ApiError } from '#protocol/error.ts'
import type { ApiKey, KeyLimits } from '#protocol/keys.ts'
import type { Database, Statement } from './database.ts'
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
  limits?: KeyLimits
}

export interface StoredKey {
  id: string
  owner: string
  scopes: string[]
  limits: KeyLimits | null
}

interface KeyRow {
  id: string
  owner: string
  scopes: string
  limits: string | null
}

/** Makes a key. `key` is shown this once; only its hash is kept. */
export async function createKey(database: Database, options: NewKey): Promise<{ id: string; key: string }> {
  const { shown, key, statement } = await newKey(database, options)
  await statement.run()
  return { id: shown.id, key }
}

/** A key, as it is shown, and what makes it. */
export async function newKey(
  database: Database,
  options: NewKey,
): Promise<{ shown: ApiKey; key: string; statement: Statement }> {
  const key = `tdm_${randomSecret()}`
  const row: ShownRow = {
    id: `key_${uuidv7().replaceAll('-', '')}`,
    name: options.name,
    owner: options.owner,
    scopes: options.scopes.join(' '),
    limits: fromLimits(options.limits),
    created_at: Date.now(),
    expires_at: options.expiresAt ?? null,
    revoked_at: null,
  }
  const { id, name, owner, scopes, created_at, expires_at, limits } = row
  const statement = database
    .prepare(
      'INSERT INTO keys (id, hash, name, owner, scopes, created_at, expires_at, limits) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .bind(id, await sha256(key), name, owner, scopes, created_at, expires_at, limits)
  return { shown: toApiKey(row), key, statement }
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
      `SELECT id, owner, scopes, limits FROM keys
       WHERE hash = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`,
    )
    .bind(hash, now)
    .first<KeyRow>()
  if (row === null) return null
  return { id: row.id, owner: row.owner, scopes: row.scopes.split(' '), limits: toLimits(row.limits) }
}

/** As the API shows it. */
interface ShownRow {
  id: string
  name: string
  owner: string
  scopes: string
  limits: string | null
  created_at: number
  expires_at: number | null
  revoked_at: number | null
}
const SHOWN = 'SELECT id, name, owner, scopes, limits, created_at, expires_at, revoked_at FROM keys'

export async function readKey(database: Database, id: string): Promise<ApiKey | null> {
  const row = await database.prepare(`${SHOWN} WHERE id = ?`).bind(id).first<ShownRow>()
  return row && toApiKey(row)
}

/** By the time of their making, newest first or oldest. @throws ApiError 400 if there is none to list `after` */
export async function listKeys(
  database: Database,
  { limit, after, order }: PageQuery,
): Promise<{ data: ApiKey[]; hasMore: boolean }> {
  if (after !== undefined && !(await readKey(database, after))) {
    throw new ApiError('invalid_value', `Invalid 'after': there is no '${after}'.`, { param: 'after' })
  }
  // An id begins with the time of its making.
  const beyond = order === 'desc' ? '<' : '>'
  const { results } = await database
    .prepare(`${SHOWN} ${after === undefined ? '' : `WHERE id ${beyond} ?`} ORDER BY id ${order} LIMIT ?`)
    .bind(...(after === undefined ? [] : [after]), limit + 1)
    .all<ShownRow>()
  return { data: results.slice(0, limit).map(toApiKey), hasMore: results.length > limit }
}

/** Whether somebody could administer without this key: another that may, and does not expire. */
export async function isAdministeredWithout(database: Database, id: string): Promise<boolean> {
  const row = await database
    .prepare(
      `SELECT 1 AS found FROM keys WHERE id <> ? AND revoked_at IS NULL AND expires_at IS NULL
       AND (' ' || scopes || ' ' LIKE '% admin %' OR ' ' || scopes || ' ' LIKE '% * %') LIMIT 1`,
    )
    .bind(id)
    .first<{ found: number }>()
  return row !== null
}

export interface KeyChange {
  readonly name?: string | undefined
  readonly scopes?: readonly string[] | undefined
  /** Unix seconds; null: it does not expire. */
  readonly expires_at?: number | null | undefined
  readonly limits?: KeyLimits | undefined
}

/** What is undefined stays. */
export async function updateKey(database: Database, id: string, change: KeyChange): Promise<void> {
  const set = (column: string, value: string | number | null) => ({ column, value })
  const changes = [
    ...(change.name === undefined ? [] : [set('name', change.name)]),
    ...(change.scopes === undefined ? [] : [set('scopes', change.scopes.join(' '))]),
    ...(change.expires_at === undefined
      ? []
      : [set('expires_at', change.expires_at === null ? null : change.expires_at * 1000)]),
    ...(change.limits === undefined ? [] : [set('limits', fromLimits(change.limits))]),
  ]
  if (changes.length === 0) return
  await database
    .prepare(`UPDATE keys SET ${changes.map(({ column }) => `${column} = ?`).join(', ')} WHERE id = ?`)
    .bind(...changes.map(({ value }) => value), id)
    .run()
}

/** Of those that have any, by id. */
export async function limitsOf(database: Database, ids: readonly string[]): Promise<Map<string, KeyLimits>> {
  const { results } = await database
    .prepare('SELECT id, limits FROM keys WHERE limits IS NOT NULL AND id IN (SELECT value FROM json_each(?))')
    .bind(JSON.stringify(ids))
    .all<{ id: string; limits: string }>()
  return new Map(results.map(({ id, limits }) => [id, JSON.parse(limits) as KeyLimits]))
}

export function toLimits(text: string | null): KeyLimits | null {
  return text === null ? null : (JSON.parse(text) as KeyLimits)
}

function fromLimits(limits: KeyLimits | undefined): string | null {
  return limits && Object.values(limits).some((limit) => limit !== undefined) ? JSON.stringify(limits) : null
}

function toApiKey({ scopes, limits, created_at, expires_at, revoked_at, ...row }: ShownRow): ApiKey {
  const seconds = (ms: number | null) => (ms === null ? null : Math.floor(ms / 1000))
  return {
    ...row,
    object: 'api_key',
    scopes: scopes.split(' '),
    limits: toLimits(limits) ?? {},
    created_at: Math.floor(created_at / 1000),
    expires_at: seconds(expires_at),
    revoked_at: seconds(revoked_at),
  }
}
