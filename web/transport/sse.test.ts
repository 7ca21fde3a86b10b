import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestFailure } from './failure.ts'
import { readEvents } from './sse.ts'

function bodyOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

async function all(body: ReadableStream<Uint8Array>): Promise<string[]> {
  const events: string[] = []
  for await (const event of readEvents(body)) events.push(event)
  return events
}

const STREAM = new TextEncoder().encode(
  ': heartbeat\n\ndata: {"a":"é 🎉"}\n\ndata: one\ndata: two\r\n\r\ndata: [DONE]\n\n',
)

test('events come whole, wherever the bytes are cut', async () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const events = await all(bodyOf(STREAM.slice(0, cut), STREAM.slice(cut)))
    assert.deepEqual(events, ['{"a":"é 🎉"}', 'one\ntwo', '[DONE]'], `cut at ${cut}`)
  }
})

test('an event that never ends is given up', async () => {
  const piece = new TextEncoder().encode(`data: ${'a'.repeat(1 << 19)}`)
  await assert.rejects(all(bodyOf(piece, piece, piece)), RequestFailure)
})

test('stopping early lets go of the body', async () => {
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(STREAM),
    cancel: () => {
      cancelled = true
    },
  })
  for await (const _ of readEvents(body)) break
  assert.ok(cancelled)
})
