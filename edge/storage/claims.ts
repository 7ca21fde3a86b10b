/**
 * `Idempotency-Key` for what takes a while: the first request claims the key, works, and keeps its answer, which all others
 * are given. A claim is a lease: whoever works renews it, and one whose edge is gone can be taken over. Whoever lost the
 * claim in the meantime does not keep an answer: there is one for a key.
 */
import { ApiError } from '#protocol/error.ts'
import type { Database } from './database.ts'
import { forgetOld, type IdempotentRequest, KEPT_MS, requireKeyForm, rowOf } from './idempotency.ts'
import { sha256 } from './secrets.ts'

/** A claim that is not renewed lasts so long. */
export const CLAIM_MS = 60_000
/** Stands for an answer that is still to come. */
const AT_WORK = ''

export interface KeptAnswer {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export type KeyedRequest = IdempotentRequest & { readonly key: string }

/** Who works on the answer for a key. */
export interface Claim {
  readonly owner: string
  readonly key: string
  /** The SHA-256 of the request. */
  readonly hash: string
  /** Nobody else's. */
  readonly holder: string
}

/**
 * @returns the answer that there is, or the claim of whoever is to work on it now
 * @throws ApiError 409 if the key is another request's, or its request is still at work; 400 if it is none
 */
export async function claim(database: Database, request: KeyedRequest): Promise<KeptAnswer | Claim> {
  const { owner, key, now } = request
  requireKeyForm(key)
  const mine: Claim = { owner, key, hash: await sha256(request.request), holder: crypto.randomUUID() }
  await forgetOld(database, now).run()
  const { meta } = await database
    .prepare(
      `INSERT INTO idempotent_answers (owner, idempotency_key, request_hash, answer, created_at, claim)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, idempotency_key) DO UPDATE SET
         request_hash = excluded.request_hash, answer = excluded.answer, created_at = excluded.created_at,
         claim = excluded.claim, headers = NULL
       WHERE idempotent_answers.created_at <= ? OR (idempotent_answers.answer = ? AND idempotent_answers.created_at <= ?)`,
    )
    .bind(owner, key, mine.hash, AT_WORK, now, mine.holder, now - KEPT_MS, AT_WORK, now - CLAIM_MS)
    .run()
  return meta.changes > 0 ? mine : await answerFor(database, mine)
}

/** It is still being worked on. */
export async function renew(database: Database, { owner, key, holder }: Claim, now: number): Promise<void> {
  await database
    .prepare('UPDATE idempotent_answers SET created_at = ? WHERE owner = ? AND idempotency_key = ? AND claim = ?')
    .bind(now, owner, key, holder)
    .run()
}

/**
 * Keeps the answer.
 * @returns what the key's answer is: another one if the claim was lost
 * @throws ApiError 409 if it was lost to one that is at work, or to another request
 */
export async function fulfil(
  database: Database,
  claim: Claim,
  { body, headers }: KeptAnswer,
  now: number,
): Promise<KeptAnswer> {
  const { owner, key, hash, holder } = claim
  // One that was taken over and given up again is free.
  const { meta } = await database
    .prepare(
      `INSERT INTO idempotent_answers (owner, idempotency_key, request_hash, answer, headers, created_at)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, idempotency_key) DO UPDATE SET
         answer = excluded.answer, headers = excluded.headers, created_at = excluded.created_at, claim = NULL
       WHERE idempotent_answers.claim = ?`,
    )
    .bind(owner, key, hash, body, JSON.stringify(headers), now, holder)
    .run()
  return meta.changes > 0 ? { body, headers } : await answerFor(database, claim)
}

/** There will be no answer: the next request may try again. */
export async function abandon(database: Database, { owner, key, holder }: Claim): Promise<void> {
  await database
    .prepare('DELETE FROM idempotent_answers WHERE owner = ? AND idempotency_key = ? AND claim = ?')
    .bind(owner, key, holder)
    .run()
}

/** @throws ApiError 409 if there is none yet, or it is another request's */
async function answerFor(database: Database, { owner, key, hash }: Claim): Promise<KeptAnswer> {
  const row = await rowOf(database, owner, key, hash)
  if (row === null || row.answer === AT_WORK) {
    throw new ApiError('request_in_flight', 'The request with this Idempotency-Key is still at work.', {
      retryAfter: 1,
    })
  }
  return { body: row.answer, headers: JSON.parse(row.headers ?? '{}') as Record<string, string> }
}
