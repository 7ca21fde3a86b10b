/**
 * The list of files in D1; their bytes lie in the object store. A file takes its place in its owner's share before its
 * first byte is written, and is there for others once all of them are.
 */
import type { FileObject, FileQuery } from '#protocol/files.ts'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { Database, Statement } from './database.ts'

export interface NewFile {
  readonly id: string
  readonly owner: string
  readonly filename: string
  readonly purpose: FileObject['purpose']
  readonly bytes: number
  readonly sha256: string
  readonly now: number
  /** Milliseconds after its making; null: for good. */
  readonly lifetime: number | null
}

interface Row {
  id: string
  filename: string
  purpose: FileObject['purpose']
  bytes: number
  created_at: number
  expires_at: number | null
}

/** A place that is not filled within so long was left by an edge that is gone. */
export const PLACE_KEPT_MS = 3_600_000
/** No time makes room, but its owner may. */
const RETRY_SECONDS = 60
const COLUMNS = 'id, filename, purpose, bytes, created_at, expires_at'
const THERE = 'ready = 1 AND (expires_at IS NULL OR expires_at > ?)'

export const keyOfFile = (id: string): string => `files/${id}`

/** What an owner's files and unfinished uploads take. Binds the owner, the owner and now. */
const USED = `SELECT COALESCE(SUM(bytes), 0) AS bytes, COUNT(*) AS count FROM (
  SELECT bytes FROM files WHERE owner = ?
  UNION ALL SELECT bytes FROM uploads WHERE owner = ? AND status = 'pending' AND expires_at > ?)`

/**
 * Takes a place for a file of at most `bytes`.
 * @throws ApiError 429 if the owner has too much
 */
export async function takePlace(
  database: Database,
  { id, owner, bytes, now }: Pick<NewFile, 'id' | 'owner' | 'bytes' | 'now'>,
): Promise<void> {
  const { meta } = await database
    .prepare(
      `INSERT INTO files (id, owner, filename, purpose, bytes, created_at)
       SELECT ?, ?, '', 'fine-tune', ?, ? FROM (${USED}) AS used WHERE used.bytes + ? <= ? AND used.count < ?`,
    )
    .bind(id, owner, bytes, now, owner, owner, now, bytes, LIMITS.ownerFileBytes, LIMITS.ownerFiles)
    .run()
  if (meta.changes === 0) throw await tooMuch(database, owner, bytes, now)
}

/** @throws ApiError 429 if the owner has no room for so much more */
export async function requireRoom(database: Database, owner: string, bytes: number, now: number): Promise<void> {
  const used = await usedBy(database, owner, now)
  if (used.bytes + bytes > LIMITS.ownerFileBytes || used.count >= LIMITS.ownerFiles) {
    throw await tooMuch(database, owner, bytes, now)
  }
}

/** Fills the place that was taken; to be run with what else belongs to it. */
export function fillPlace(database: Database, { id, filename, purpose, bytes, sha256, now, lifetime }: NewFile) {
  const row: Row = {
    id,
    filename,
    purpose,
    bytes,
    created_at: now,
    expires_at: lifetime === null ? null : now + lifetime,
  }
  const statement = database
    .prepare(
      'UPDATE files SET filename = ?, purpose = ?, bytes = ?, sha256 = ?, expires_at = ?, ready = 1 WHERE id = ?',
    )
    .bind(filename, purpose, bytes, sha256, row.expires_at, id)
  return { statement, file: toFile(row) }
}

/** A file of a training's; the same again changes nothing. It counts, but is never refused. */
export function resultFile(database: Database, file: NewFile): Statement {
  return database
    .prepare(
      `INSERT INTO files (id, owner, filename, purpose, bytes, sha256, created_at, ready)
       VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (id) DO NOTHING`,
    )
    .bind(file.id, file.owner, file.filename, file.purpose, file.bytes, file.sha256, file.now)
}

export async function findFile(database: Database, owner: string, id: string, now: number): Promise<FileObject | null> {
  const row = await database
    .prepare(`SELECT ${COLUMNS} FROM files WHERE id = ? AND owner = ? AND ${THERE}`)
    .bind(id, owner, now)
    .first<Row>()
  return row && toFile(row)
}

/** @throws ApiError 400 if there is none to list `after` */
export async function listFiles(
  database: Database,
  owner: string,
  { limit, after, order, purpose }: FileQuery,
  now: number,
): Promise<{ data: FileObject[]; hasMore: boolean }> {
  if (after !== undefined && !(await findFile(database, owner, after, now))) {
    throw new ApiError('invalid_value', `Invalid 'after': there is no '${after}'.`, { param: 'after' })
  }
  const cursor = `AND position ${order === 'desc' ? '<' : '>'} (SELECT position FROM files WHERE id = ?)`
  const { results } = await database
    .prepare(
      `SELECT ${COLUMNS} FROM files WHERE owner = ? AND ${THERE} ${purpose === undefined ? '' : 'AND purpose = ?'}
       ${after === undefined ? '' : cursor} ORDER BY position ${order} LIMIT ?`,
    )
    .bind(owner, now, ...(purpose === undefined ? [] : [purpose]), ...(after === undefined ? [] : [after]), limit + 1)
    .all<Row>()
  return { data: results.slice(0, limit).map(toFile), hasMore: results.length > limit }
}

/** Takes a file from the list, and dooms its bytes. */
export async function discardFile(database: Database, id: string): Promise<void> {
  await database.batch([
    database.prepare('INSERT OR IGNORE INTO doomed_objects (key) VALUES (?)').bind(keyOfFile(id)),
    database.prepare('DELETE FROM files WHERE id = ?').bind(id),
  ])
}

/** Ids of what has expired, and of places that were left, some of them. */
export async function staleFiles(database: Database, now: number, most: number): Promise<string[]> {
  const { results } = await database
    .prepare('SELECT id FROM files WHERE expires_at <= ? OR (ready = 0 AND created_at <= ?) LIMIT ?')
    .bind(now, now - PLACE_KEPT_MS, most)
    .all<{ id: string }>()
  return results.map(({ id }) => id)
}

async function usedBy(database: Database, owner: string, now: number): Promise<{ bytes: number; count: number }> {
  const used = await database.prepare(USED).bind(owner, owner, now).first<{ bytes: number; count: number }>()
  return used ?? { bytes: 0, count: 0 }
}

async function tooMuch(database: Database, owner: string, bytes: number, now: number): Promise<ApiError> {
  const used = await usedBy(database, owner, now)
  const message = `You may keep ${LIMITS.ownerFiles} files and ${LIMITS.ownerFileBytes} bytes in them; you have ${used.count} and ${used.bytes}, this needs ${bytes} more.`
  return new ApiError('insufficient_quota', message, { retryAfter: RETRY_SECONDS })
}

function toFile({ id, filename, purpose, bytes, created_at, expires_at }: Row): FileObject {
  return {
    id,
    object: 'file',
    bytes,
    created_at: Math.floor(created_at / 1000),
    ...(expires_at === null ? {} : { expires_at: Math.floor(expires_at / 1000) }),
    filename,
    purpose,
    status: 'processed',
  }
}
