/** LibreTranslate's `/translate_file`, and the address at which the translation is. */
import type { DocumentStatus } from '#protocol/documents.ts'
import { ApiError } from '#protocol/error.ts'
import { libreFileAnswerSchema, libreFileFieldsSchema, libreFileFormSchema } from '#protocol/libretranslate.ts'
import { accountOf } from '../accounts/admission.ts'
import { counted } from '../accounts/counted.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { asFile, charactersIn } from '../documents/document-file.ts'
import { type DocumentRecord, documentKeys } from '../documents/document-object.ts'
import { receiveDocument } from '../documents/receive-document.ts'
import { validate } from '../http/validate.ts'
import { newId } from '../storage/new-id.ts'
import { sha256 } from '../storage/secrets.ts'
import { pairsHere } from '../translation/metered.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'
import { requireLanguages } from './libretranslate.ts'

export const libreFileOperations: readonly Operation[] = [
  {
    scope: 'translation',
    tag: 'Translation',
    method: 'POST',
    path: '/translate_file',
    summary: 'Translate a document',
    description: 'As LibreTranslate’s; answers when it is translated.',
    body: libreFileFormSchema,
    bodyType: 'multipart/form-data',
    answer: { description: 'Where it is', schema: libreFileAnswerSchema },
    errors: [...GENERATION_ERRORS, 'request_too_large'],
    handle: (c) => counted(c, 'documents', () => translate(c)),
  },
  {
    scope: null,
    tag: 'Translation',
    method: 'GET',
    path: '/download_file/{name}',
    summary: 'Fetch a document that was translated',
    description: 'For a day, by whoever has the address.',
    answer: { description: 'The document', contentType: 'application/octet-stream' },
    errors: ['not_found'],
    handle: download,
  },
]

async function translate(c: EdgeContext): Promise<object> {
  const { filename, bytes, fields } = await receiveDocument(c.req.raw)
  const request = validate(libreFileFieldsSchema, fields)
  const { source, target } = requireLanguages(request, await pairsHere(c, request.model))
  const characters = charactersIn(filename, bytes)
  const [id, key] = [newId('doc_'), newId('')]
  const account = accountOf(principalOf(c))
  const keyHash = await sha256(key)
  const asked = { filename, source, target, glossary: null, model: request.model ?? null, characters }
  const record: DocumentRecord = { id, keyHash, account, ...asked, createdAt: Date.now() }
  await c.env.OBJECTS.put(documentKeys(id).source, bytes)
  const object = c.env.DOCUMENTS.getByName(id)
  // Nobody else waits for it.
  c.req.raw.signal.addEventListener('abort', () => c.executionCtx.waitUntil(object.forget()))
  await object.begin(JSON.stringify(record))
  const ended = await object.ended(account.owner, keyHash)
  const status = ended === null ? undefined : (JSON.parse(ended) as DocumentStatus)
  if (status?.status !== 'done') {
    await object.forget()
    throw new ApiError('invalid_value', status?.error_message ?? 'The document is gone.', { param: 'file' })
  }
  const end = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()
  return { translatedFileUrl: `${new URL(c.req.url).origin}/download_file/${id}.${key}.${end}` }
}

async function download(c: EdgeContext): Promise<Response> {
  const name = c.req.param('name') ?? ''
  const [id = '', key = ''] = name.split('.')
  const filename = await c.env.DOCUMENTS.getByName(id).done(null, await sha256(key))
  const stored = filename && (await c.env.OBJECTS.get(documentKeys(id).result))
  if (!filename || !stored) throw new ApiError('not_found', `There is no file '${name.slice(0, 100)}'.`)
  return asFile(filename, await stored.arrayBuffer())
}
