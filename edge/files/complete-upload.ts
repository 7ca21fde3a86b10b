/** `POST /v1/uploads/{id}/complete`: the parts, one after the other, become a file. */
import { ApiError } from '#protocol/error.ts'
import { type Upload, uploadCompleteSchema } from '#protocol/files.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import type { Bindings } from '../env.ts'
import { readBody } from '../http/body.ts'
import { idempotencyOf } from '../http/idempotency-of.ts'
import { discardFile, fillPlace, keyOfFile, takePlace } from '../storage/files.ts'
import { answered, once } from '../storage/idempotency.ts'
import { newId } from '../storage/new-id.ts'
import { requireDiskRoom } from '../storage/room.ts'
import {
  endUpload,
  keyOfPart,
  type Part,
  partsOf,
  requirePending,
  toUpload,
  type UploadRow,
} from '../storage/uploads.ts'
import { sweep } from './sweep.ts'
import { pendingUpload } from './upload-of.ts'
import { type Written, writeObject } from './write-object.ts'

/** @throws ApiError 400 if the parts are not what the upload was to be, 503; others may complete it all the same */
export async function completeUpload(c: EdgeContext): Promise<Upload> {
  const body = await readBody(c.req.raw, uploadCompleteSchema)
  const { owner } = principalOf(c)
  const now = Date.now()
  const keyed = idempotencyOf(c, body, now)
  const earlier = await answered<Upload>(c.env.DB, keyed)
  if (earlier) return earlier
  const upload = await pendingUpload(c)
  const parts = await chosenParts(c.env, upload, body.part_ids)
  await requireDiskRoom(c.env, upload.bytes)
  const id = newId('file-')
  // The upload has the place that the file will take.
  await takePlace(c.env.DB, { id, owner, bytes: 0, now })
  try {
    const written = await writeObject(c.env.OBJECTS, keyOfFile(id), joined(c.env, upload.id, parts))
    for (const digest of ['md5', 'sha256'] as const) requireSame(digest, body[digest], written)
    const { filename, file_lifetime: lifetime } = upload
    const { bytes, sha256 } = written
    const filled = fillPlace(c.env.DB, { id, owner, filename, purpose: 'fine-tune', bytes, sha256, now, lifetime })
    const answer = toUpload({ ...upload, status: 'completed', file_id: id }, filled.file)
    const ended = endUpload(c.env.DB, upload.id, 'completed', id)
    const statements = [requirePending(c.env.DB, upload.id), ...ended, filled.statement]
    const given = await once(c.env.DB, keyed, statements, answer)
    if (given.file?.id !== id) await discardFile(c.env.DB, id)
    await sweep(c.env)
    return given
  } catch (error) {
    await discardFile(c.env.DB, id)
    await sweep(c.env)
    // Another request may have ended it at the same moment.
    await pendingUpload(c)
    throw error
  }
}

async function chosenParts(env: Bindings, upload: UploadRow, ids: readonly string[]): Promise<Part[]> {
  const parts = await partsOf(env.DB, upload.id)
  const chosen = ids.map((id, i) => {
    const part = parts.get(id)
    if (part && ids.indexOf(id) === i) return part
    const why = part ? 'is named twice' : 'is not a part of this upload'
    throw new ApiError('invalid_upload', `Invalid 'part_ids[${i}]': '${id}' ${why}.`, { param: `part_ids[${i}]` })
  })
  const bytes = chosen.reduce((sum, part) => sum + part.bytes, 0)
  if (bytes === upload.bytes) return chosen
  const message = `The upload is of ${upload.bytes} bytes; these parts have ${bytes}.`
  throw new ApiError('invalid_upload', message, { param: 'part_ids' })
}

async function* joined(env: Bindings, upload: string, parts: readonly Part[]): AsyncGenerator<Uint8Array> {
  for (const { id } of parts) {
    const object = await env.OBJECTS.get(keyOfPart(upload, id))
    if (!object) throw new ApiError('invalid_upload', `The part '${id}' is gone: the upload has ended meanwhile.`)
    yield* object.body as unknown as AsyncIterable<Uint8Array>
  }
}

function requireSame(digest: 'md5' | 'sha256', expected: string | undefined, written: Written): void {
  if (expected === undefined || expected.toLowerCase() === written[digest]) return
  const message = `Invalid '${digest}': the parts give ${written[digest]}, got ${expected}.`
  throw new ApiError('invalid_upload', message, { param: digest })
}
