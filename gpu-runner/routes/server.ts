/**
 * The runner's HTTP server, for the edge alone: every request bears the shared secret. A route returns
 * nothing and answers through `response`; what it throws before that becomes an error body.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}
export type Route = (exchange: Exchange) => void | Promise<void>
/** By method and path: `POST /generations`. */
export type Routes = Readonly<Record<string, Route>>

/** The edge's own limit is tighter; escapes may lengthen what it passes on. */
const BODY_BYTES = 8 << 20

/**
 * How long a connection stays open between requests. Whoever asks has to be the first to close it, or a request is lost that
 * crosses with the end. workerd does so after 5 s, which is Node's own default.
 */
const IDLE_MS = 60_000

export function createRunnerServer(secret: string, routes: Routes): Server {
  const expected = digest(`Bearer ${secret}`)
  const answer = async (exchange: Exchange): Promise<void> => {
    const { method, url, headers } = exchange.request
    if (!timingSafeEqual(digest(headers.authorization ?? ''), expected)) {
      throw new ApiError('invalid_api_key', 'this runner answers only the edge that started it')
    }
    const route = routes[`${method} ${url}`]
    if (!route) throw new ApiError('not_found', `the runner has no ${method} ${url}`)
    await route(exchange)
  }
  return createServer({ keepAliveTimeout: IDLE_MS }, (request, response) => {
    answer({ request, response }).catch((error: unknown) => fail({ request, response }, error))
  })
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** The body, in the shape that is asked for. @throws ApiError what is wrong with it, by its place */
export async function readValid<S extends v.GenericSchema>(
  request: IncomingMessage,
  schema: S,
): Promise<v.InferOutput<S>> {
  const parsed = v.safeParse(schema, await readJson(request))
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw new ApiError('invalid_value', issue.message, { param: v.getDotPath(issue) ?? undefined })
}

/** Reads a JSON body. Throws ApiError if it is too long or not JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > BODY_BYTES) throw new ApiError('request_too_large', `the body is over ${BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch (cause) {
    throw new ApiError('invalid_json', 'the body is not JSON', { cause })
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function fail({ request, response }: Exchange, thrown: unknown): void {
  const error =
    thrown instanceof ApiError ? thrown : new ApiError('internal_error', 'the runner failed', { cause: thrown })
  if (error.code === 'internal_error') {
    console.error(JSON.stringify({ level: 'error', request: request.headers['x-request-id'], error: String(thrown) }))
  }
  if (response.headersSent) {
    response.destroy()
    return
  }
  const retry = error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }
  sendJson(response, error.status, { error: error.detail }, retry)
}
