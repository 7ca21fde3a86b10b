/** Server-sent events from a sequence of values: one terminal event, a comment every 15 s of silence or not. */
import { concealed } from './render-error.ts'

const HEARTBEAT_MS = 15_000
const encoder = new TextEncoder()

export interface EventStreamOptions {
  /** Called when the reader goes away before the end. */
  onCancel: () => void
  /** Called with what was thrown, before it is rendered as the last event. */
  onError: (error: unknown) => void
}

/** Each value is one `data:` event; then `[DONE]`, or, if the sequence throws, one event with the error. */
export function eventStream(values: AsyncGenerator<unknown>, { onCancel, onError }: EventStreamOptions): Response {
  let heartbeat: ReturnType<typeof setInterval> | null = null
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => controller.enqueue(encoder.encode(': heartbeat\n\n')), HEARTBEAT_MS)
    },
    async pull(controller) {
      const send = (data: string) => controller.enqueue(encoder.encode(`data: ${data}\n\n`))
      const end = (data: string) => {
        clearInterval(heartbeat)
        send(data)
        controller.close()
      }
      try {
        const { done, value } = await values.next()
        if (done) end('[DONE]')
        else send(JSON.stringify(value))
      } catch (error) {
        onError(error)
        end(JSON.stringify({ error: concealed(error).detail }))
      }
    },
    async cancel() {
      clearInterval(heartbeat)
      onCancel()
      await values.return(undefined)
    },
  })
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  })
}
