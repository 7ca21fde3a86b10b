/** The upload that a path names, if it is the caller's. */
import { ApiError } from '#protocol/error.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { findUpload, type UploadRow } from '../storage/uploads.ts'

/** @throws ApiError 404 when it is not there, or another's */
export async function uploadOf(c: EdgeContext): Promise<UploadRow> {
  const id = c.req.param('id') ?? ''
  const found = await findUpload(c.env.DB, principalOf(c).owner, id, Date.now())
  if (found) return found
  throw new ApiError('not_found', `There is no upload '${id.slice(0, 100)}'.`)
}

/** @throws ApiError 404, or 400 when it has been completed or cancelled, or its time is over */
export async function pendingUpload(c: EdgeContext): Promise<UploadRow> {
  const upload = await uploadOf(c)
  if (upload.status === 'pending') return upload
  throw new ApiError('invalid_upload', `The upload '${upload.id}' is ${upload.status}, and cannot be changed.`)
}
