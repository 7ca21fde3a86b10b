/** LibreTranslate's clients show their key in the body. It is read before anybody is let in, and read again by the handler. */
import { LIMITS } from '#protocol/limits.ts'
import type { EdgeContext } from '../context.ts'
import { FORM_BYTES } from '../files/receive-file.ts'
import { fieldsOf, readBytes } from '../http/body.ts'
import { dialectOf } from '../http/dialect.ts'

export const mayShowKeyInBody = ({ req }: EdgeContext): boolean =>
  req.method === 'POST' && dialectOf(req.path) === 'libretranslate'

/** @throws ApiError 400 or 413 for a body that cannot be read */
export async function keyInBody(c: EdgeContext): Promise<string | null> {
  const type = c.req.header('content-type') ?? ''
  const bytes = await readBytes(
    c.req.raw,
    c.req.path === '/translate_file' ? LIMITS.documentBytes + FORM_BYTES : LIMITS.bodyBytes,
  )
  c.req.raw = new Request(c.req.raw, { body: bytes })
  const fields = await fieldsOf(bytes, type)
  if (typeof fields !== 'object' || fields === null || !('api_key' in fields)) return null
  return typeof fields.api_key === 'string' ? fields.api_key : null
}
