import { createMiddleware } from 'hono/factory'
import type { EdgeEnv } from '../context.ts'

/** What is read for nothing; a client that sends more, or slower, may miss its answer. */
const MOST_BYTES = 16 << 20
const MOST_MS = 5_000

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
    const timer = setTimeout(() => void reader.cancel(), MOST_MS)
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        size += value.byteLength
        if (size > MOST_BYTES) return
      }
    } catch {
      // The client has gone, and with it the rest of the body.
    } finally {
      clearTimeout(timer)
    }
  })
}
