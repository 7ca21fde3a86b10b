/** Reads a request's body, JSON or a form, within its bounds, and parses it by a schema. */

import type * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { nestsDeeperThan } from './json-depth.ts'
import { type Schema, validate } from './validate.ts'

/** @throws ApiError 400, 413 or 415. An empty body is `undefined` to the schema if `mayBeEmpty`; `most` bytes are read. */
export async function readBody<S extends Schema>(
  request: Request,
  schema: S,
  options: { mayBeEmpty?: boolean; most?: number } = {},
): Promise<v.InferOutput<S>> {
  const text = decode(await readBytes(request, options.most ?? LIMITS.bodyBytes))
  if (text === '' && options.mayBeEmpty === true) return validate(schema, {})
  requireJson(request)
  return validate(schema, parseJson(text))
}

function requireJson(request: Request): void {
  const type = request.headers.get('content-type')
  if (mediaType(type ?? '') !== 'application/json') {
    throw new ApiError(
      'unsupported_media_type',
      `The Content-Type header must be 'application/json', got ${type === null ? 'none' : `'${type.slice(0, 100)}'`}.`,
    )
  }
}

/** What is packed is not unpacked here. */
function requireUnpacked(request: Request): void {
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() === 'identity') return
  const message = `A body with Content-Encoding '${encoding.slice(0, 100)}' is not read.`
  throw new ApiError('unsupported_media_type', message)
}

/**
 * Reads a request's multipart form within its bounds, and parses it by a schema: text fields as strings, files as bytes.
 * @throws ApiError 400, 413 or 415
 */
export async function readForm<S extends Schema>(request: Request, schema: S, most: number): Promise<v.InferOutput<S>> {
  const bytes = await readBytes(request, most)
  const type = request.headers.get('content-type') ?? ''
  if (mediaType(type) !== 'multipart/form-data') {
    const message = `The Content-Type header must be 'multipart/form-data', got ${type === '' ? 'none' : `'${type.slice(0, 100)}'`}.`
    throw new ApiError('unsupported_media_type', message)
  }
  return validate(schema, await parseForm(bytes, type))
}

interface FieldOptions {
  /** Bytes. */
  readonly most: number
  readonly lists?: readonly string[]
  /** Before they are parsed. */
  readonly prepare?: (fields: unknown) => unknown
}

/**
 * Reads a request's fields, which may be in JSON or in a form of either kind, within its bounds, and parses them by a schema.
 * @param lists names that a form may have several times; they are lists
 * @throws ApiError 400, 413 or 415
 */
export async function readFields<S extends Schema>(
  request: Request,
  schema: S,
  { most, lists = [], prepare = (fields) => fields }: FieldOptions,
): Promise<v.InferOutput<S>> {
  const fields = await fieldsOf(await readBytes(request, most), request.headers.get('content-type') ?? '', lists)
  if (fields !== undefined) return validate(schema, prepare(fields))
  requireJson(request)
  return validate(schema, {})
}

/** Undefined if the body is of another type. @throws ApiError 400 */
export async function fieldsOf(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
  lists: readonly string[] = [],
): Promise<unknown> {
  switch (mediaType(type)) {
    case 'application/json':
      return parseJson(decode(bytes))
    case 'application/x-www-form-urlencoded':
    case 'multipart/form-data':
      return parseForm(bytes, type, lists)
  }
}

const mediaType = (type: string): string | undefined => type.split(';', 1)[0]?.trim().toLowerCase()

async function parseForm(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
  lists: readonly string[] = [],
): Promise<Record<string, unknown>> {
  if (mediaType(type) === 'application/x-www-form-urlencoded') requireUtf8(decode(bytes))
  let form: FormData
  try {
    form = await new Response(bytes, { headers: { 'content-type': type } }).formData()
  } catch (cause) {
    throw new ApiError('invalid_request', 'The body is not a valid form.', { cause })
  }
  const fields = new Map<string, unknown[]>()
  for (const [name, value] of form) {
    const values = fields.get(name) ?? []
    if (values.length > 0 && !lists.includes(name)) {
      const param = name.slice(0, 100)
      throw new ApiError('invalid_value', `Invalid '${param}': expected one, got several.`, { param })
    }
    values.push(typeof value === 'string' ? value : new Uint8Array(await value.arrayBuffer()))
    fields.set(name, values)
  }
  return Object.fromEntries([...fields].map(([name, values]) => [name, lists.includes(name) ? values : values[0]]))
}

/**
 * The body; of one whose length is not declared, counts while it reads, and stops at the limit.
 * @throws ApiError 413 or 415
 */
export async function readBytes(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  requireUnpacked(request)
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > most) throw tooLarge(`${declared} bytes`, most)
  if (request.body === null) return new Uint8Array()
  // HTTP holds the client to what it declared, so it can be read in one go.
  if (declared !== null) return new Uint8Array(await request.arrayBuffer())
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > most) {
      // Not cancelled: the rest is drained, so that the client hears the answer.
      reader.releaseLock()
      throw tooLarge('more', most)
    }
    chunks.push(value)
  }
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch (cause) {
    throw new ApiError('invalid_json', 'The body is not valid UTF-8.', { cause })
  }
}

/** Of what stands as %XX in a form: what is none would become another text. */
function requireUtf8(form: string): void {
  try {
    for (const [run] of form.matchAll(/(?:%[\da-f]{2})+/gi)) decodeURIComponent(run)
  } catch (cause) {
    throw new ApiError('invalid_request', 'The body is not valid UTF-8.', { cause })
  }
}

function parseJson(text: string): unknown {
  if (nestsDeeperThan(text, LIMITS.jsonDepth)) {
    throw new ApiError('invalid_json', `The body nests deeper than ${LIMITS.jsonDepth} levels.`)
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ApiError('invalid_json', 'The body is not valid JSON.', { cause })
  }
}

function tooLarge(given: string, most: number): ApiError {
  return new ApiError('request_too_large', `The body may have at most ${most} bytes, got ${given}.`)
}
