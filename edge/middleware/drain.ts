import type { FixedLengthStream } from '@cloudflare/workers-types'
import { createMiddleware } from 'hono/factory'
import type { EdgeEnv } from '../context.ts'

/** The Worker's own: a stream whose length is known beforehand, so that a client knows its end before it is closed. */
const { FixedLengthStream: OfFixedLength } = globalThis as unknown as { FixedLengthStream: typeof FixedLengthStream }
/** What is read for nothing; whoever stands in front of the Worker takes the rest. */
const MOST_BYTES = 16 << 20
const MOST_MS = 5_000

/**
 * Reads on, to no use, what a handler left of the body: a connection that closes on a client that is still sending is
 * reset, and the answer that says why is lost with it. A refusal is sent first, whole, and its end is held back meanwhile:
 * so it is on its way before anything can break.
 */
export function drain() {
  return createMiddleware<EdgeEnv>(async function readToTheEnd(c, next) {
    await next()
    const { body } = c.req.raw
    if (body === null || body.locked) return
    if (c.res.status < 400 || c.res.body === null) return readAway(body)
    const refusal = new Uint8Array(await c.res.arrayBuffer())
    const { readable, writable } = new OfFixedLength(refusal.byteLength)
    c.executionCtx.waitUntil(send(refusal, writable, body))
    c.res = new Response(readable, c.res)
  })
}

async function send(refusal: Uint8Array, answer: WritableStream<Uint8Array>, body: ReadableStream<Uint8Array>) {
  const writer = answer.getWriter()
  try {
    await writer.write(refusal)
    await readAway(body)
    await writer.close()
  } catch {
    // The client has gone before it had its answer.
  }
}

async function readAway(body: ReadableStream<Uint8Array>): Promise<void> {
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
}
