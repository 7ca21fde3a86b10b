/** A stored response's Durable Object, as its callers have it. What it gives is JSON: no class survives the way. */
import type { ErrorDetail } from '#protocol/error.ts'
import type { ResponseRecord } from './record.ts'

/** A refusal, as it travels. */
export interface Refusal {
  readonly error: ErrorDetail
  readonly retryAfter: number | null
}

export interface ResponseObject {
  /** Begins, unless it has begun; says what it is refused with: also if another request has begun it. */
  begin(record: ResponseRecord, fingerprint: string): Promise<Refusal | null>
  /** Whether it has begun already, by the same request or by another. */
  begunBy(fingerprint: string): Promise<'nobody' | 'same' | 'other'>
  /** The response as it is; null, here and below, if there is none of this owner. */
  response(owner: string): Promise<string | null>
  /** What the answer follows. */
  input(owner: string): Promise<string | null>
  /** The response once it has ended. */
  whole(owner: string): Promise<string | null>
  /** Its events after that number, and those to come. Whoever stops reading stops nothing else. */
  events(owner: string, after: number): Promise<ReadableStream<Uint8Array> | null>
  cancel(owner: string): Promise<string | null>
  remove(owner: string): Promise<boolean>
}

export interface ResponseObjects {
  getByName(name: string): ResponseObject
}
