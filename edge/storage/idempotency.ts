/**
 * `Idempotency-Key`: the answer to a POST is written in the same transaction as what it made, under the owner's key, so
 * that a repeated request finds it and makes nothing. Kept for a day.
 */
import { ApiError } from '#protocol/error.ts'
import type { Database, Statement } from './database.ts'
import { sha256 } from './secrets.ts'

const KEPT_MS = 24 * 3600 * 1000
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
  if (!KEY_FORM.test(key)) {
    throw new ApiError('invalid_value', 'Idempotency-Key must be 1 to 255 printable ASCII characters.')
  }
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
  const row = await database
    .prepare('SELECT request_hash, answer FROM idempotent_answers WHERE owner = ? AND idempotency_key = ?')
    .bind(owner, key)
    .first<Row>()
  if (!row) return null
  if (row.request_hash !== hash) {
    throw new ApiError('idempotency_key_reused', 'This Idempotency-Key was used for another request already.')
  }
  return { answer: JSON.parse(row.answer) as T }
}
