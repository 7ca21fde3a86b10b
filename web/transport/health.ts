/** `GET /health`, where a 503 is an answer and not a failure. */
import * as v from 'valibot'
import { healthSchema } from './answers.ts'
import { type HttpOptions, retryAfterSeconds } from './http.ts'

export type Health =
  | { status: 'ok' }
  | { status: 'starting'; detail: string | undefined; retryAfter: number | undefined }
  /** Nothing answered, or something else than Tandem did. */
  | { status: 'unreachable' }

export async function readHealth(fetch: HttpOptions['fetch']): Promise<Health> {
  try {
    const response = await fetch('/health', { method: 'GET' })
    const { status, detail } = v.parse(healthSchema, await response.json())
    if (response.ok && status === 'ok') return { status }
    return { status: 'starting', detail, retryAfter: retryAfterSeconds(response.headers.get('retry-after')) }
  } catch {
    return { status: 'unreachable' }
  }
}
