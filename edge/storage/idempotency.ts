/**
 * `Idempotency-Key`: the answer to a POST is written in the same transaction as what it made, under the owner's key, so
 * that a repeated request finds it and makes nothing. Kept for a day.
 */
import { ApiError } from '#protocol/error.ts'
import type { Database, Statement } from './database.ts'
import { seal, unseal } from './seal.ts'
import { sha256 } from './secrets.ts'

export const KEPT_MS = 24 * 3600 * 1000
const KEY_FORM = /^[\x21-\x7e]{1,255}$/

interface Row {
  request_hash: string
  answer: string
  headers: string | null
}

export interface IdempotentRequest {
  owner: string
  /** The header; without one, every request is a new one. */
  key: string | undefined
  /** What has to be the same: method, path and body. */
  request: string
  now: number
  /**
   * What only the caller knows, if the answer is nobody else's: it is kept sealed with it, and found by whoever shows it again.
   */
  secret?: string
}

/**
 * Runs `statements` with the answer they give, once for a key.
 * @throws ApiError 409 if the key was used for another request, 400 if it is none
 */
export async function once<T>(
  database: Database,
  { owner: person, key, request, now, secret }: IdempotentRequest,
  statements: readonly Statement[],
  answer: T,
): Promise<T> {
  if (key === undefined) {
    if (statements.length > 0) await database.batch([...statements])
    return answer
  }
  requireKeyForm(key)
  const owner = secret === undefined ? person : `${person} ${await sha256(secret)}`
  const hash = await sha256(request)
  const kept = { owner, key, hash, secret }
  const earlier = await find<T>(database, kept)
  if (earlier) return earlier.answer
  const remember = database
    .prepare(
      `INSERT INTO idempotent_answers (owner, idempotency_key, request_hash, answer, created_at)
       VALUES (?, ?, ?, ?, ?)`,
    )
    .bind(
      owner,
      key,
      hash,
      secret === undefined ? JSON.stringify(answer) : await seal(JSON.stringify(answer), secret),
      now,
    )
  try {
    await database.batch([forgetOld(database, now), remember, ...statements])
    return answer
  } catch (error) {
    // The same key at the same moment: the other request was first, and nothing of this one was written.
    const first = await find<T>(database, kept)
    if (first) return first.answer
    throw error
  }
}

/**
 * What was answered to the same request before.
 * @throws ApiError 409 if the key was used for another request
 */
export async function answered<T>(
  database: Database,
  { owner, key, request }: IdempotentRequest,
): Promise<T | undefined> {
  if (key === undefined) return undefined
  return (await find<T>(database, { owner, key, hash: await sha256(request), secret: undefined }))?.answer
}

interface Kept {
  readonly owner: string
  readonly key: string
  readonly hash: string
  readonly secret: string | undefined
}

async function find<T>(database: Database, { owner, key, hash, secret }: Kept): Promise<{ answer: T } | null> {
  const row = await rowOf(database, owner, key, hash)
  if (row === null) return null
  return { answer: JSON.parse(secret === undefined ? row.answer : await unseal(row.answer, secret)) as T }
}

/** Of all owners, what has been kept long enough. */
export function forgetOld(database: Database, now: number): Statement {
  return database.prepare('DELETE FROM idempotent_answers WHERE created_at <= ?').bind(now - KEPT_MS)
}

/** @throws ApiError 409 if it is another request's */
export async function rowOf(database: Database, owner: string, key: string, hash: string): Promise<Row | null> {
  const row = await database
    .prepare('SELECT request_hash, answer, headers FROM idempotent_answers WHERE owner = ? AND idempotency_key = ?')
    .bind(owner, key)
    .first<Row>()
  if (row && row.request_hash !== hash) {
    throw new ApiError('idempotency_key_reused', 'This Idempotency-Key was used for another request already.')
  }
  return row
}

/** @throws ApiError 400 */
export function requireKeyForm(key: string): void {
  if (KEY_FORM.test(key)) return
  throw new ApiError('invalid_value', 'Idempotency-Key must be 1 to 255 printable ASCII characters.')
}
