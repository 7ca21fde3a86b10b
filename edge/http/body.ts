/** Reads a request's JSON body within its bounds, and parses it by a schema. */

import type * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { nestsDeeperThan } from './json-depth.ts'
import { type Schema, validate } from './validate.ts'

/** @throws ApiError 400, 413 or 415. An empty body is `undefined` to the schema if `mayBeEmpty`. */
export async function readBody<S extends Schema>(
  request: Request,
  schema: S,
  options: { mayBeEmpty?: boolean } = {},
): Promise<v.InferOutput<S>> {
  const text = await readText(request)
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

/** The body as text; counts while it reads, and stops at the limit. */
async function readText(request: Request): Promise<string> {
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > LIMITS.bodyBytes) throw tooLarge(`${declared} bytes`)
  if (request.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > LIMITS.bodyBytes) {
      // Not cancelled: the rest is drained, so that the client hears the answer.
      reader.releaseLock()
      throw tooLarge('more')
    }
    chunks.push(value)
  }
  return decode(chunks, size)
}

function decode(chunks: readonly Uint8Array[], size: number): string {
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
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

function tooLarge(given: string): ApiError {
  return new ApiError('request_too_large', `The body may have at most ${LIMITS.bodyBytes} bytes, got ${given}.`)
}
