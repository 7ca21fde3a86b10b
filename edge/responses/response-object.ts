/** The Durable Object of stored responses, as its callers have it. What it gives is JSON: no class survives the way. */
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
  begunBy(id: string, fingerprint: string): Promise<'nobody' | 'same' | 'other'>
  /** The response as it is; null, here and below, if there is none. */
  response(id: string): Promise<string | null>
  /** What the answer follows. */
  input(id: string): Promise<string | null>
  /** The response once it has ended. */
  whole(id: string): Promise<string | null>
  /** Its events after that number, and those to come. Whoever stops reading stops nothing else. */
  events(id: string, after: number): Promise<ReadableStream<Uint8Array> | null>
  cancel(id: string): Promise<string | null>
  remove(id: string): Promise<boolean>
}

export interface ResponseObjects {
  getByName(name: string): ResponseObject
}

/** Objects that an owner's responses are in. */
const OBJECTS = 8

/**
 * The object that has a response, if it is there at all. Each owner has objects of its own.
 * @param id that ends in a hexadecimal digit
 */
export function objectOf(objects: ResponseObjects, owner: string, id: string): ResponseObject {
  return objects.getByName(`${owner} ${Number.parseInt(id.at(-1) ?? '', 16) % OBJECTS}`)
}
