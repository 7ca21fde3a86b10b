/** A form with a document, read whole within its bounds. */
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { bounded, FORM_BYTES, notAFile } from '../files/receive-file.ts'
import { formParts } from '../http/multipart.ts'

export interface ReceivedDocument {
  readonly filename: string
  readonly bytes: Uint8Array
  readonly fields: Readonly<Record<string, string>>
}

/** @throws ApiError 400, 413 or 415 */
export async function receiveDocument(request: Request): Promise<ReceivedDocument> {
  const fields = new Map<string, string>()
  let file: { filename: string; bytes: Uint8Array } | undefined
  for await (const part of formParts(request, LIMITS.documentBytes + FORM_BYTES)) {
    const { name, filename } = part
    if (fields.has(name) || (name === 'file' && file)) {
      const param = name.slice(0, 100)
      throw new ApiError('invalid_value', `Invalid '${param}': expected one, got several.`, { param })
    }
    const bytes = await joined(bounded(part, name === 'file' ? LIMITS.documentBytes : FORM_BYTES))
    if (name !== 'file') fields.set(name, new TextDecoder().decode(bytes))
    else if (filename === undefined) throw notAFile('file')
    else file = { filename, bytes }
  }
  if (!file) throw new ApiError('missing_required_parameter', "Missing required parameter: 'file'.", { param: 'file' })
  if (file.bytes.length === 0) throw new ApiError('invalid_value', 'The document is empty.', { param: 'file' })
  return { ...file, fields: Object.fromEntries(fields) }
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const chunk of chunks) pieces.push(chunk)
  return new Uint8Array(await new Response(new Blob(pieces as Uint8Array<ArrayBuffer>[])).arrayBuffer())
}
