/** `/v1/files`: what models are trained on, and what comes of a training. */
import { ApiError } from '#protocol/error.ts'
import {
  type FileObject,
  fileDeletedSchema,
  fileFormSchema,
  fileListSchema,
  fileQuerySchema,
  fileSchema,
} from '#protocol/files.ts'
import { LIMITS } from '#protocol/limits.ts'
import { counted } from '../accounts/counted.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { receiveFile } from '../files/receive-file.ts'
import { sweep } from '../files/sweep.ts'
import { validate } from '../http/validate.ts'
import { discardFile, findFile, keyOfFile, listFiles } from '../storage/files.ts'
import type { Operation } from './operation.ts'
import { listed } from './page-of.ts'

const PATH = '/v1/files'
const common = { scope: 'training', tag: 'Files' } as const
/** Nothing of it runs or loads anything, whatever it is and wherever it is opened. */
const SANDBOX = "default-src 'none'; sandbox"

export const fileOperations: readonly Operation[] = [
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Upload a file',
    description: `A zip of images, CSV or JSONL of at most ${LIMITS.fileBytes} bytes.`,
    body: fileFormSchema,
    bodyType: 'multipart/form-data',
    answer: { description: 'The file', schema: fileSchema },
    errors: [
      'request_too_large',
      'insufficient_quota',
      'rate_limit_exceeded',
      'idempotency_key_reused',
      'storage_full',
    ],
    handle: (c) => counted(c, 'files', () => receiveFile(c)),
  },
  {
    ...common,
    method: 'GET',
    path: PATH,
    summary: 'List the files',
    query: fileQuerySchema,
    answer: { description: 'A page of files', schema: fileListSchema },
    async handle(c) {
      const query = validate(fileQuerySchema, c.req.query())
      return c.json(listed(await listFiles(c.env.DB, principalOf(c).owner, query, Date.now())))
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}`,
    summary: 'Describe a file',
    answer: { description: 'The file', schema: fileSchema },
    errors: ['not_found'],
    handle: async (c) => c.json(await fileOf(c)),
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/content`,
    summary: 'Read a file',
    answer: { description: 'Its bytes', contentType: 'application/octet-stream' },
    errors: ['not_found'],
    handle: contentRoute,
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{id}`,
    summary: 'Delete a file',
    description: 'A job that still needs it fails.',
    answer: { description: 'It is deleted', schema: fileDeletedSchema },
    errors: ['not_found'],
    async handle(c) {
      const { id } = await fileOf(c)
      await discardFile(c.env.DB, id)
      await sweep(c.env)
      return c.json({ id, object: 'file', deleted: true })
    },
  },
]

async function contentRoute(c: EdgeContext): Promise<Response> {
  const { id, filename } = await fileOf(c)
  const object = await c.env.OBJECTS.get(keyOfFile(id))
  if (!object) throw missing(id)
  // Node's and the Worker's types of a stream differ in name alone.
  return new Response(object.body as unknown as ReadableStream, {
    headers: {
      'content-type': typeOf(filename),
      'content-length': String(object.size),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(filename)}`,
      'content-security-policy': SANDBOX,
      'cache-control': 'private, no-store',
    },
  })
}

const typeOf = (filename: string): string => (filename.endsWith('.png') ? 'image/png' : 'application/octet-stream')

async function fileOf(c: EdgeContext): Promise<FileObject> {
  const id = c.req.param('id') ?? ''
  return (await findFile(c.env.DB, principalOf(c).owner, id, Date.now())) ?? raise(missing(id))
}

function missing(id: string): ApiError {
  return new ApiError('not_found', `There is no file '${id.slice(0, 100)}'.`)
}

function raise(error: Error): never {
  throw error
}
