/** `/v2/document`: DeepL's. A document is sent, translated while nobody waits, asked about, and fetched once. */
import {
  documentFieldsSchema,
  documentFormSchema,
  documentHandleSchema,
  documentKeySchema,
  documentStatusSchema,
} from '#protocol/documents.ts'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { accountOf } from '../accounts/admission.ts'
import { counted } from '../accounts/counted.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { type DocumentRecord, documentKeys } from '../documents/document-object.ts'
import { asFile, charactersIn } from '../documents/document-file.ts'
import { receiveDocument } from '../documents/receive-document.ts'
import { readFields } from '../http/body.ts'
import { onceForCaller } from '../http/once-for-caller.ts'
import { validate } from '../http/validate.ts'
import { sha256, sha256Of } from '../storage/secrets.ts'
import { newId } from '../storage/new-id.ts'
import { requireDeeplLanguages, requireSource } from '../translation/deepl-languages.ts'
import { dictionaryOf, glossaryOf } from '../translation/glossary-of.ts'
import { pairsHere } from '../translation/metered.ts'
import type { Operation } from './operation.ts'

const PATH = '/v2/document'
const common = { method: 'POST', scope: 'translation', tag: 'Translation' } as const

export const translatedDocumentOperations: readonly Operation[] = [
  {
    ...common,
    path: PATH,
    summary: 'Send a document to be translated',
    description: 'As DeepL’s: txt, html, srt, xliff, docx.',
    body: documentFormSchema,
    bodyType: 'multipart/form-data',
    answer: { description: 'What it is asked about with', schema: documentHandleSchema },
    errors: ['request_too_large', 'rate_limit_exceeded', 'runner_unavailable', 'idempotency_key_reused'],
    handle: (c) => counted(c, 'documents', () => send(c)),
  },
  {
    ...common,
    path: `${PATH}/{id}`,
    summary: 'Ask how far a document is',
    body: documentKeySchema,
    answer: { description: 'Its status', schema: documentStatusSchema },
    errors: ['not_found'],
    async handle(c) {
      const { owner, keyHash, object } = await documentOf(c)
      const status = await object.status(owner, keyHash)
      if (status === null) throw missing(c)
      return c.body(status, 200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    },
  },
  {
    ...common,
    path: `${PATH}/{id}/result`,
    summary: 'Fetch a translated document, once',
    body: documentKeySchema,
    answer: { description: 'The document', contentType: 'application/octet-stream' },
    errors: ['not_found', 'model_unavailable'],
    handle: fetchResult,
  },
  {
    ...common,
    path: `${PATH}/{id}/cancel`,
    summary: 'Give up a document',
    description: 'Tandem’s own: work on it stops, and it is gone.',
    body: documentKeySchema,
    answer: { description: 'It is gone' },
    errors: ['not_found'],
    async handle(c) {
      const { owner, keyHash, object } = await documentOf(c)
      if ((await object.status(owner, keyHash)) === null) throw missing(c)
      await object.forget()
      return c.body(null, 204)
    },
  },
]

async function send(c: EdgeContext): Promise<object> {
  const { filename: ownName, bytes, fields } = await receiveDocument(c.req.raw)
  const asked = validate(documentFieldsSchema, fields)
  const { filename = ownName, glossary_id } = asked
  const { source, target } = requireDeeplLanguages(asked, await pairsHere(c, asked.model))
  if (glossary_id !== undefined) {
    await dictionaryOf(c, await glossaryOf(c, glossary_id), requireSource(source), target)
  }
  const characters = charactersIn(filename, bytes)
  const [id, key] = [newId('doc_'), newId('')]
  const record: DocumentRecord = {
    id,
    keyHash: await sha256(key),
    account: accountOf(principalOf(c)),
    filename,
    source,
    target,
    glossary: glossary_id ?? null,
    model: asked.model ?? null,
    characters,
    createdAt: Date.now(),
  }
  await c.env.OBJECTS.put(documentKeys(id).source, bytes)
  const object = c.env.DOCUMENTS.getByName(id)
  await object.begin(JSON.stringify(record))
  const handle = { document_id: id, document_key: key }
  const given = await onceForCaller(c, [filename, fields, await sha256Of(bytes)], [], handle).catch(
    async (error: unknown) => {
      await object.forget()
      throw error
    },
  )
  // An earlier request with the same key has sent it already.
  if (given.document_id !== id) await object.forget()
  return given
}

async function fetchResult(c: EdgeContext): Promise<Response> {
  const { id, owner, keyHash, object } = await documentOf(c)
  const { result } = documentKeys(id)
  const filename = await object.done(owner, keyHash)
  const stored = await c.env.OBJECTS.get(result)
  if (filename === null) throw missing(c)
  if (filename === false || !stored)
    throw new ApiError('model_unavailable', 'Document translation is not done.', { retryAfter: 1 })
  const bytes = await stored.arrayBuffer()
  await object.forget()
  return asFile(filename, bytes)
}

async function documentOf(c: EdgeContext) {
  const { document_key: key } = await readFields(c.req.raw, documentKeySchema, { most: LIMITS.bodyBytes })
  const id = c.req.param('id') ?? ''
  return { id, owner: principalOf(c).owner, keyHash: await sha256(key), object: c.env.DOCUMENTS.getByName(id) }
}

const missing = (c: EdgeContext): ApiError =>
  new ApiError('not_found', `There is no document '${(c.req.param('id') ?? '').slice(0, 100)}' with this key.`)
