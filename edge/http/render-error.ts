/** The one place where an error becomes an answer. */
import { ApiError } from '#protocol/error.ts'
import { bodyIn, type Dialect, statusIn } from './dialect.ts'

export function renderError(error: ApiError, dialect: Dialect): Response {
  const headers = new Headers({ 'content-type': 'application/json', 'cache-control': 'no-store' })
  if (error.retryAfter !== undefined) headers.set('retry-after', String(error.retryAfter))
  const status = statusIn(dialect, error)
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  return new Response(JSON.stringify(bodyIn(dialect, error)), { status, headers })
}

/** What the caller is told about anything that was not meant to be thrown. */
export function concealed(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return new ApiError('internal_error', 'The server failed; the request id names the entry in its log.', {
    cause: error,
  })
}
