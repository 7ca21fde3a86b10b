/** Server-sent events from a response's body. */
import { createParser } from 'eventsource-parser'
import { RequestFailure } from './failure.ts'

/** The most characters of one event; an answer's chunk has a few hundred. */
const MAX_EVENT_LENGTH = 1 << 20

/**
 * Yields the `data` of each event; comments (heartbeats) are passed over. Ends where the body ends.
 * @throws RequestFailure `broken` when an event is longer than 1 MiB
 * @throws what the body's reader throws, such as the abort of its request
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const ready: string[] = []
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: (event) => ready.push(event.data),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw new RequestFailure('broken', { cause: error })
    },
  })
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
      yield* ready.splice(0)
    }
  } finally {
    // Lets go of the connection when the caller stops early; after the end it does nothing.
    await reader.cancel().catch(() => undefined)
  }
}
