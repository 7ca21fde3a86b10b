/**
 * `Idempotency-Key`: the answer to a POST is written in the same transaction as what it made, under the owner's key, so
 * that a repeated request finds it and makes nothing. Kept for a day.
 */
import { ApiError } from '#protocol/error.ts'
import type { Database, Statement } from './database.ts'
import { sha256 } from './secrets.ts'

const KEPT_MS = 24 * 3600 * 1000
/** A request that has not been answered by then is taken for lost. */
const AT_WORK_MS = 15 * 60 * 1000
/** Stands for an answer that is still to come. */
const AT_WORK = ''
const KEY_FORM = /^[\x21-\x7e]{1,255}$/

interface Row {
  request_hash: string
  answer: string
}

export interface IdempotentRequest {
  owner: string
  /** The header; without one, every request is a new one. */
  key: string | undefined
  /** What has to be the same: method, path and body. */
  request: string
  now: number
}

/**
 * Runs `statements` with the answer they give, once for a key.
 * @throws ApiError 409 if the key was used for another request, 400 if it is none
 */
export async function once<T>(
  database: Database,
  { owner, key, request, now }: IdempotentRequest,
  statements: readonly Statement[],
  answer: T,
): Promise<T> {
  if (key === undefined) {
    await database.batch([...statements])
    return answer
  }
  requireKeyForm(key)
  const hash = await sha256(request)
  const earlier = await find<T>(database, owner, key, hash)
  if (earlier) return earlier.answer
  const forget = database.prepare('DELETE FROM idempotent_answers WHERE created_at <= ?').bind(now - KEPT_MS)
  const remember = database
    .prepare(
      `INSERT INTO idempotent_answers (owner, idempotency_key, request_hash, answer, created_at)
       VALUES (?, ?, ?, ?, ?)`,
    )
    .bind(owner, key, hash, JSON.stringify(answer), now)
  try {
    await database.batch([forget, remember, ...statements])
    return answer
  } catch (error) {
    // The same key at the same moment: the other request was first, and nothing of this one was written.
    const first = await find<T>(database, owner, key, hash)
    if (first) return first.answer
    throw error
  }
}

async function find<T>(database: Database, owner: string, key: string, hash: string): Promise<{ answer: T } | null> {
  const row = await rowOf(database, owner, key, hash)
  return row && { answer: JSON.parse(row.answer) as T }
}

/** @throws ApiError 409 if it is another request's */
async function rowOf(database: Database, owner: string, key: string, hash: string): Promise<Row | null> {
  const row = await database
    .prepare('SELECT request_hash, answer FROM idempotent_answers WHERE owner = ? AND idempotency_key = ?')
    .bind(owner, key)
    .first<Row>()
  if (row && row.request_hash !== hash) {
    throw new ApiError('idempotency_key_reused', 'This Idempotency-Key was used for another request already.')
  }
  return row
}

export type KeyedRequest = IdempotentRequest & { readonly key: string }

/**
 * Claims a key for a request that takes a while.
 * @returns the answer that it had before; null if it is to be answered now
 * @throws ApiError 409 if the key is another request's, or its request is still at work; 400 if it is none
 */
export async function claim(database: Database, { owner, key, request, now }: KeyedRequest): Promise<string | null> {
  requireKeyForm(key)
  const hash = await sha256(request)
  const [old, lost] = [now - KEPT_MS, now - AT_WORK_MS]
  await database.batch([
    database.prepare('DELETE FROM idempotent_answers WHERE created_at <= ?').bind(old),
    database
      .prepare(
        'DELETE FROM idempotent_answers WHERE owner = ? AND idempotency_key = ? AND answer = ? AND created_at <= ?',
      )
      .bind(owner, key, AT_WORK, lost),
  ])
  const { meta } = await database
    .prepare(
      `INSERT INTO idempotent_answers (owner, idempotency_key, request_hash, answer, created_at)
       VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(owner, key, hash, AT_WORK, now)
    .run()
  if (meta.changes > 0) return null
  const row = await rowOf(database, owner, key, hash)
  if (row === null || row.answer === AT_WORK) {
    throw new ApiError('request_in_flight', 'The request with this Idempotency-Key is still at work.', {
      retryAfter: 1,
    })
  }
  return row.answer
}

/** Keeps the answer, unless the claim has been lost to another request. */
export async function fulfil(database: Database, keyed: KeyedRequest, answer: string): Promise<void> {
  const { owner, key, request } = keyed
  await database
    .prepare(
      `UPDATE idempotent_answers SET answer = ?
       WHERE owner = ? AND idempotency_key = ? AND request_hash = ? AND answer = ?`,
    )
    .bind(answer, owner, key, await sha256(request), AT_WORK)
    .run()
}

export async function abandon(database: Database, { owner, key }: KeyedRequest): Promise<void> {
  await database
    .prepare('DELETE FROM idempotent_answers WHERE owner = ? AND idempotency_key = ? AND answer = ?')
    .bind(owner, key, AT_WORK)
    .run()
}

function requireKeyForm(key: string): void {
  if (KEY_FORM.test(key)) return
  throw new ApiError('invalid_value', 'Idempotency-Key must be 1 to 255 printable ASCII characters.')
}
