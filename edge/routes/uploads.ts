/** `/v1/uploads`: a file in parts, for what is too large for one request, or for a line that breaks. */
import { ApiError } from '#protocol/error.ts'
import {
  partFormSchema,
  uploadCompleteSchema,
  uploadCreateSchema,
  uploadPartSchema,
  uploadSchema,
} from '#protocol/files.ts'
import { LIMITS } from '#protocol/limits.ts'
import { counted } from '../accounts/counted.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { completeUpload } from '../files/complete-upload.ts'
import { receivePart } from '../files/receive-part.ts'
import { sweep } from '../files/sweep.ts'
import { pendingUpload, uploadOf } from '../files/upload-of.ts'
import { readBody } from '../http/body.ts'
import { requireRoom } from '../storage/files.ts'
import { once } from '../storage/idempotency.ts'
import { newId } from '../storage/new-id.ts'
import { cancelUpload, newUpload, withFile } from '../storage/uploads.ts'
import type { Operation } from './operation.ts'

const PATH = '/v1/uploads'
const common = { method: 'POST', scope: 'training', tag: 'Files' } as const

export const uploadOperations: readonly Operation[] = [
  {
    ...common,
    path: PATH,
    summary: 'Begin an upload in parts',
    description: 'It can be added to for an hour.',
    body: uploadCreateSchema,
    answer: { description: 'The upload', schema: uploadSchema },
    errors: ['request_too_large', 'insufficient_quota', 'rate_limit_exceeded', 'idempotency_key_reused'],
    example: { bytes: 1_048_576, filename: 'pictures.zip', mime_type: 'application/zip', purpose: 'fine-tune' },
    handle: (c) => counted(c, 'uploads', () => createUpload(c)),
  },
  {
    ...common,
    path: `${PATH}/{id}/parts`,
    summary: 'Add a part to an upload',
    description: `Parts may come in any order, and at once; each has at most ${LIMITS.partBytes} bytes.`,
    body: partFormSchema,
    bodyType: 'multipart/form-data',
    answer: { description: 'The part', schema: uploadPartSchema },
    errors: ['not_found', 'invalid_upload', 'request_too_large', 'idempotency_key_reused', 'storage_full'],
    handle: (c) => counted(c, 'uploads', () => receivePart(c)),
  },
  {
    ...common,
    path: `${PATH}/{id}/complete`,
    summary: 'Make the file of the parts',
    body: uploadCompleteSchema,
    answer: { description: 'The upload, with its file', schema: uploadSchema },
    errors: ['not_found', 'invalid_upload', 'idempotency_key_reused', 'storage_full'],
    example: { part_ids: ['part_abc', 'part_def'] },
    handle: (c) => counted(c, 'uploads', () => completeUpload(c)),
  },
  {
    ...common,
    path: `${PATH}/{id}/cancel`,
    summary: 'Cancel an upload',
    answer: { description: 'The upload', schema: uploadSchema },
    errors: ['not_found', 'invalid_upload'],
    handle: (c) => counted(c, 'uploads', () => cancelRoute(c)),
  },
]

async function createUpload(c: EdgeContext) {
  const body = await readBody(c.req.raw, uploadCreateSchema)
  const { owner } = principalOf(c)
  const { bytes, filename, expires_after: expires } = body
  if (bytes > LIMITS.fileBytes) {
    const message = `A file may have at most ${LIMITS.fileBytes} bytes, got ${bytes}.`
    throw new ApiError('request_too_large', message, { param: 'bytes' })
  }
  const now = Date.now()
  await requireRoom(c.env.DB, owner, bytes, now)
  const lifetime = expires === undefined ? null : expires.seconds * 1000
  const { statement, upload } = newUpload(c.env.DB, { id: newId('upload_'), owner, filename, bytes, now, lifetime })
  const key = c.req.header('idempotency-key')
  const request = `POST ${PATH} ${JSON.stringify(body)}`
  return once(c.env.DB, { owner, key, request, now }, [statement], upload)
}

async function cancelRoute(c: EdgeContext) {
  const { id, status } = await uploadOf(c)
  if (status !== 'cancelled') {
    await pendingUpload(c)
    await cancelUpload(c.env.DB, id)
    await sweep(c.env)
  }
  return withFile(c.env.DB, await uploadOf(c), Date.now())
}
