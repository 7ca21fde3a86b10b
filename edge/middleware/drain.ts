import { createMiddleware } from 'hono/factory'
import type { EdgeEnv } from '../context.ts'

/** Bytes that are read for nothing; a client that sends more may miss its answer. */
const MOST_BYTES = 64 << 20

/**
 * Reads on, to no use, what a handler left of the body: a connection that closes on a client that is still sending is
 * reset, and the answer that says why is lost with it.
 */
export function drain() {
  return createMiddleware<EdgeEnv>(async function readToTheEnd(c, next) {
    await next()
    const { body } = c.req.raw
    if (body === null || body.locked) return
    const reader = body.getReader()
    let size = 0
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        size += value.byteLength
        if (size > MOST_BYTES) return
      }
    } catch {
      // The client has gone, and with it the rest of the body.
    }
  })
}
