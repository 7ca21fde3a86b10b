/** `POST /v1/uploads/{id}/parts`: a form whose one file is a part. */
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { formParts } from '../http/multipart.ts'
import { once } from '../storage/idempotency.ts'
import { newId } from '../storage/new-id.ts'
import { requireDiskRoom } from '../storage/room.ts'
import { discardPart, fillPart, keyOfPart, takePart } from '../storage/uploads.ts'
import { bounded, FORM_BYTES, notAFile, requireDeclaredSize } from './receive-file.ts'
import { sweep } from './sweep.ts'
import { pendingUpload } from './upload-of.ts'
import { type Written, writeObject } from './write-object.ts'

/** @throws ApiError 400, 404, 413 or 503; nothing is kept then */
export async function receivePart(c: EdgeContext) {
  const upload = await pendingUpload(c)
  requireDeclaredSize(c.req.raw, LIMITS.partBytes)
  const now = Date.now()
  const id = newId('part_')
  const declared = Number(c.req.header('content-length') ?? LIMITS.partBytes)
  await requireDiskRoom(c.env, Number(c.req.header('content-length') ?? 0))
  await takePart(c.env.DB, upload, { id, bytes: Math.min(declared, LIMITS.partBytes) }, now)
  try {
    const { bytes, sha256 } = await readPart(c, keyOfPart(upload.id, id))
    const part = { id, object: 'upload.part', created_at: Math.floor(now / 1000), upload_id: upload.id }
    const request = `POST /v1/uploads/${upload.id}/parts ${sha256}`
    const keyed = { owner: principalOf(c).owner, key: c.req.header('idempotency-key'), request, now }
    const answer = await once(c.env.DB, keyed, [fillPart(c.env.DB, { id, bytes })], part)
    if (answer.id !== id) await discardPart(c.env.DB, upload.id, id)
    return answer
  } catch (error) {
    await discardPart(c.env.DB, upload.id, id)
    await sweep(c.env)
    throw error
  }
}

async function readPart(c: EdgeContext, key: string): Promise<Written> {
  let written: Written | undefined
  for await (const part of formParts(c.req.raw, LIMITS.partBytes + FORM_BYTES)) {
    if (part.name !== 'data' || written) {
      const param = part.name.slice(0, 100)
      throw new ApiError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
    }
    if (part.filename === undefined) throw notAFile('data')
    written = await writeObject(c.env.OBJECTS, key, bounded(part, LIMITS.partBytes))
  }
  if (!written)
    throw new ApiError('missing_required_parameter', "Missing required parameter: 'data'.", { param: 'data' })
  if (written.bytes === 0) throw new ApiError('invalid_value', 'The part is empty.', { param: 'data' })
  return written
}
