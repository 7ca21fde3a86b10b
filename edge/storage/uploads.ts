/** Uploads and their parts in D1; the parts' bytes lie in the object store until the file is made of them. */
import { ApiError } from '#protocol/error.ts'
import type { FileObject, Upload } from '#protocol/files.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { Database, Statement } from './database.ts'
import { doom } from './doomed.ts'
import { findFile } from './files.ts'

/** As OpenAI has it. */
export const UPLOAD_MS = 3_600_000

export interface NewUpload {
  readonly id: string
  readonly owner: string
  readonly filename: string
  readonly bytes: number
  readonly now: number
  /** Of the file, in milliseconds; null: for good. */
  readonly lifetime: number | null
}

export interface UploadRow {
  readonly id: string
  readonly owner: string
  readonly filename: string
  readonly bytes: number
  readonly created_at: number
  readonly expires_at: number
  readonly file_lifetime: number | null
  readonly status: Upload['status']
  readonly file_id: string | null
}

export interface Part {
  readonly id: string
  readonly bytes: number
}

export const keyOfPart = (upload: string, part: string): string => `uploads/${upload}/${part}`
const PARTS_OF = `SELECT 'uploads/' || upload_id || '/' || id FROM upload_parts WHERE upload_id`

export function newUpload(database: Database, { id, owner, filename, bytes, now, lifetime }: NewUpload) {
  const row: UploadRow = {
    id,
    owner,
    filename,
    bytes,
    created_at: now,
    expires_at: now + UPLOAD_MS,
    file_lifetime: lifetime,
    status: 'pending',
    file_id: null,
  }
  const columns = Object.keys(row)
  const statement = database
    .prepare(`INSERT INTO uploads (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
    .bind(...Object.values(row))
  return { statement, upload: toUpload(row, null) }
}

/** As it is now: one whose time is over has expired. */
export async function findUpload(
  database: Database,
  owner: string,
  id: string,
  now: number,
): Promise<UploadRow | null> {
  const row = await database
    .prepare('SELECT * FROM uploads WHERE id = ? AND owner = ?')
    .bind(id, owner)
    .first<UploadRow>()
  return row && row.status === 'pending' && row.expires_at <= now ? { ...row, status: 'expired' } : row
}

/**
 * Takes a place for a part, before its bytes are written.
 * @throws ApiError 400 if the upload has enough of them
 */
export async function takePart(database: Database, upload: UploadRow, { id, bytes }: Part, now: number): Promise<void> {
  // A client that asks again has sent some of it twice.
  const most = 2 * upload.bytes + LIMITS.partBytes
  const { meta } = await database
    .prepare(
      `INSERT INTO upload_parts (id, upload_id, bytes, created_at) SELECT ?, ?, ?, ? FROM
         (SELECT COALESCE(SUM(bytes), 0) AS bytes, COUNT(*) AS count FROM upload_parts WHERE upload_id = ?) AS taken
       WHERE taken.bytes + ? <= ? AND taken.count < ?`,
    )
    .bind(id, upload.id, bytes, now, upload.id, bytes, most, LIMITS.uploadParts)
    .run()
  if (meta.changes > 0) return
  const message = `The upload is of ${upload.bytes} bytes in at most ${LIMITS.uploadParts} parts; its parts would be more.`
  throw new ApiError('invalid_upload', message, { param: 'data' })
}

export function fillPart(database: Database, { id, bytes }: Part): Statement {
  return database.prepare('UPDATE upload_parts SET bytes = ?, ready = 1 WHERE id = ?').bind(bytes, id)
}

export async function discardPart(database: Database, upload: string, id: string): Promise<void> {
  await database.batch([
    doom(database, 'VALUES (?)', keyOfPart(upload, id)),
    database.prepare('DELETE FROM upload_parts WHERE id = ?').bind(id),
  ])
}

/** Those that are whole. */
export async function partsOf(database: Database, upload: string): Promise<ReadonlyMap<string, Part>> {
  const { results } = await database
    .prepare('SELECT id, bytes FROM upload_parts WHERE upload_id = ? AND ready = 1')
    .bind(upload)
    .all<Part>()
  return new Map(results.map((part) => [part.id, part]))
}

/** Lets nothing of its transaction happen if the upload is not pending any more: a status is never null. */
export function requirePending(database: Database, id: string): Statement {
  return database
    .prepare("UPDATE uploads SET status = CASE status WHEN 'pending' THEN status END WHERE id = ?")
    .bind(id)
}

/** Ends a pending upload, and dooms its parts; for one that is not pending any more, it does nothing. */
export function endUpload(
  database: Database,
  id: string,
  status: 'completed' | 'cancelled' | 'expired',
  file: string | null = null,
): Statement[] {
  return [
    database
      .prepare("UPDATE uploads SET status = ?, file_id = ? WHERE id = ? AND status = 'pending'")
      .bind(status, file, id),
    doom(database, `${PARTS_OF} = ? AND (SELECT status FROM uploads WHERE id = upload_id) <> 'pending'`, id),
    database
      .prepare(
        "DELETE FROM upload_parts WHERE upload_id = (SELECT id FROM uploads WHERE id = ? AND status <> 'pending')",
      )
      .bind(id),
  ]
}

export async function cancelUpload(database: Database, id: string): Promise<void> {
  await database.batch(endUpload(database, id, 'cancelled'))
}

/** Of all owners, some of those whose time is over. */
export async function expireUploads(database: Database, now: number, most: number): Promise<void> {
  const { results } = await database
    .prepare("SELECT id FROM uploads WHERE status = 'pending' AND expires_at <= ? LIMIT ?")
    .bind(now, most)
    .all<{ id: string }>()
  for (const { id } of results) await database.batch(endUpload(database, id, 'expired'))
}

export function toUpload(row: UploadRow, file: FileObject | null): Upload {
  return {
    id: row.id,
    object: 'upload',
    bytes: row.bytes,
    created_at: Math.floor(row.created_at / 1000),
    expires_at: Math.floor(row.expires_at / 1000),
    filename: row.filename,
    purpose: 'fine-tune',
    status: row.status,
    file,
  }
}

export async function withFile(database: Database, row: UploadRow, now: number): Promise<Upload> {
  return toUpload(row, row.file_id === null ? null : await findFile(database, row.owner, row.file_id, now))
}
