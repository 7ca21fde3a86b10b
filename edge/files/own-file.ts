/** A file that a request names. */
import type { R2Object } from '@cloudflare/workers-types'
import { ApiError } from '#protocol/error.ts'
import type { FileObject } from '#protocol/files.ts'
import { type EdgeContext, mayCall, principalOf } from '../context.ts'
import { findFile, keyOfFile } from '../storage/files.ts'

export interface OwnFile {
  readonly file: FileObject
  /** Without its bytes. */
  readonly object: R2Object
}

/** @throws ApiError 403 without the scope of files, 404 if the caller has no such file */
export async function ownFile(c: EdgeContext, id: string): Promise<OwnFile> {
  const principal = principalOf(c)
  if (!mayCall(principal, 'training')) {
    throw new ApiError('insufficient_scope', "This API key lacks the scope 'training', which files are under.", {
      param: 'file_id',
    })
  }
  const file = await findFile(c.env.DB, principal.owner, id, Date.now())
  const object = file && (await c.env.OBJECTS.head(keyOfFile(id)))
  if (!object) throw new ApiError('not_found', `There is no file '${id}'.`, { param: 'file_id' })
  return { file, object }
}
