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
  if (type?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json') {
    throw new ApiError(
      'unsupported_media_type',
      `The Content-Type header must be 'application/json', got ${type === null ? 'none' : `'${type.slice(0, 100)}'`}.`,
    )
  }
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError(
      'unsupported_media_type',
      `A body with Content-Encoding '${encoding.slice(0, 100)}' is not read.`,
    )
  }
}

/**
 * Reads a request's multipart form within its bounds, and parses it by a schema: text fields as strings, files as bytes.
 * @throws ApiError 400, 413 or 415
 */
export async function readForm<S extends Schema>(request: Request, schema: S, most: number): Promise<v.InferOutput<S>> {
  const bytes = await readBytes(request, most)
  const type = request.headers.get('content-type') ?? ''
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== 'multipart/form-data') {
    const message = `The Content-Type header must be 'multipart/form-data', got ${type === '' ? 'none' : `'${type.slice(0, 100)}'`}.`
    throw new ApiError('unsupported_media_type', message)
  }
  return validate(schema, await parseForm(bytes, type))
}

async function parseForm(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Record<string, unknown>> {
  let form: FormData
  try {
    form = await new Response(bytes, { headers: { 'content-type': type } }).formData()
  } catch (cause) {
    throw new ApiError('invalid_request', 'The body is not a valid multipart form.', { cause })
  }
  const fields = new Map<string, unknown>()
  for (const [name, value] of form) {
    if (fields.has(name)) {
      const param = name.slice(0, 100)
      throw new ApiError('invalid_value', `Invalid '${param}': expected one, got several.`, { param })
    }
    fields.set(name, typeof value === 'string' ? value : new Uint8Array(await value.arrayBuffer()))
  }
  return Object.fromEntries(fields)
}

/** The body; counts while it reads, and stops at the limit. */
async function readBytes(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > most) throw tooLarge(`${declared} bytes`, most)
  if (request.body === null) return new Uint8Array()
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
