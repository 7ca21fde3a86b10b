/**
 * What a local instance's disk has left. workerd tells a Worker of a full disk as of any failure, and may leave it waiting for
 * a write that never ends: so its host is asked, before much is written and when something has failed. Cloudflare's stores
 * have no end.
 */
import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import type { Bindings } from '../env.ts'

/** Of the disk, so that databases can go on when no file fits any more; and what they need at least. */
const KEPT_FREE_BYTES = 32 << 20
const LEAST_BYTES = 1 << 20
const RETRY_SECONDS = 60
/** What the host answers: bytes that are free. */
const roomSchema = v.pipe(v.number(), v.minValue(0))

/** @throws ApiError 503 if so many bytes do not fit */
export async function requireDiskRoom(env: Bindings, bytes: number): Promise<void> {
  const left = await bytesLeft(env)
  if (left >= bytes + KEPT_FREE_BYTES) return
  const room = Math.max(0, left - KEPT_FREE_BYTES)
  throw full(`The server's disk is nearly full: this needs ${bytes} bytes, and there is room for ${room}.`)
}

/** Why something failed, if that is because the disk is full. */
export async function diskFull(env: Bindings): Promise<ApiError | null> {
  if ((await bytesLeft(env)) >= LEAST_BYTES) return null
  return full("The server's disk is full, so that nothing can be kept.")
}

async function bytesLeft({ ROOM }: Bindings): Promise<number> {
  if (!ROOM) return Number.POSITIVE_INFINITY
  const response = await ROOM.fetch('http://host/room')
  return v.parse(roomSchema, await response.json())
}

function full(message: string): ApiError {
  return new ApiError('storage_full', message, { retryAfter: RETRY_SECONDS })
}
