/** `POST /v1/files`: a form whose file goes to the object store as it arrives. */
import { ApiError } from '#protocol/error.ts'
import { type FileObject, fileFieldsSchema, fileNameSchema } from '#protocol/files.ts'
import { LIMITS } from '#protocol/limits.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import { type FormPart, formParts } from '../http/multipart.ts'
import { validate } from '../http/validate.ts'
import { discardFile, fillPlace, keyOfFile, takePlace } from '../storage/files.ts'
import { once } from '../storage/idempotency.ts'
import { newId } from '../storage/new-id.ts'
import { requireDiskRoom } from '../storage/room.ts'
import { sweep } from './sweep.ts'
import { type Written, writeObject } from './write-object.ts'

/** What a form has beside the file. */
export const FORM_BYTES = 64 << 10
const MOST_FIELD_BYTES = 1 << 10

interface Received {
  readonly filename: string
  readonly written: Written
}

/** @throws ApiError 400, 413, 415, 429 or 503; nothing is kept then */
export async function receiveFile(c: EdgeContext): Promise<FileObject> {
  const { owner } = principalOf(c)
  const now = Date.now()
  const id = newId('file-')
  requireDeclaredSize(c.req.raw)
  // Without a length to go by it takes the place of the largest.
  const declared = Number(c.req.header('content-length') ?? LIMITS.fileBytes)
  await requireDiskRoom(c.env, Number(c.req.header('content-length') ?? 0))
  await takePlace(c.env.DB, { id, owner, bytes: Math.min(declared, LIMITS.fileBytes), now })
  try {
    const { file, fields } = await readForm(c, id)
    const { purpose, 'expires_after[seconds]': seconds } = fields
    const { bytes, sha256 } = file.written
    const lifetime = seconds === undefined ? null : seconds * 1000
    const filled = fillPlace(c.env.DB, { id, owner, filename: file.filename, purpose, bytes, sha256, now, lifetime })
    const request = `POST /v1/files ${JSON.stringify([file.filename, fields, sha256])}`
    const key = c.req.header('idempotency-key')
    const answer = await once(c.env.DB, { owner, key, request, now }, [filled.statement], filled.file)
    // An earlier request with the same key has made one already.
    if (answer.id !== id) await remove(c, id)
    return answer
  } catch (error) {
    await remove(c, id)
    throw error
  }
}

/** @throws ApiError 413 before anything of the body is read */
export function requireDeclaredSize(request: Request, most: number = LIMITS.fileBytes): void {
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared <= most + FORM_BYTES) return
  const message = `A file may have at most ${most} bytes, got a body of ${declared}.`
  throw new ApiError('request_too_large', message, { param: 'file' })
}

async function readForm(c: EdgeContext, id: string) {
  let file: Received | undefined
  const fields = new Map<string, string>()
  for await (const part of formParts(c.req.raw, LIMITS.fileBytes + FORM_BYTES)) {
    const { name, filename } = part
    if (fields.has(name) || (name === 'file' && file)) throw twice(name)
    if (name !== 'file') fields.set(name, await text(part))
    else {
      if (filename === undefined) throw notAFile('file')
      const named = validate(fileNameSchema, filename === '' ? 'upload' : filename)
      file = {
        filename: named,
        written: await writeObject(c.env.OBJECTS, keyOfFile(id), bounded(part, LIMITS.fileBytes)),
      }
    }
  }
  if (!file) throw new ApiError('missing_required_parameter', "Missing required parameter: 'file'.", { param: 'file' })
  if (file.written.bytes === 0) throw new ApiError('invalid_value', 'The file is empty.', { param: 'file' })
  return { file, fields: validate(fileFieldsSchema, Object.fromEntries(fields)) }
}

/** @throws ApiError 413 beyond `most` bytes */
export async function* bounded({ name, body }: FormPart, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > most) {
      throw new ApiError('request_too_large', `A file may have at most ${most} bytes, got more.`, { param: name })
    }
    yield chunk
  }
}

async function text(part: FormPart): Promise<string> {
  const decoder = new TextDecoder()
  let value = ''
  for await (const chunk of bounded(part, MOST_FIELD_BYTES)) value += decoder.decode(chunk, { stream: true })
  return value + decoder.decode()
}

export function notAFile(param: string): ApiError {
  return new ApiError('invalid_value', `Invalid '${param}': expected a file, got a field without a filename.`, {
    param,
  })
}

function twice(name: string): ApiError {
  const param = name.slice(0, 100)
  return new ApiError('invalid_value', `Invalid '${param}': expected one, got several.`, { param })
}

/** What is left of it if this fails is found by a later sweep. */
async function remove(c: EdgeContext, id: string): Promise<void> {
  try {
    await discardFile(c.env.DB, id)
    await sweep(c.env)
  } catch (error) {
    logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, error)
  }
}
