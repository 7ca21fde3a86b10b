/** Server-sent events from a sequence of values: exactly one terminal event, and a comment now and then. */
import type { ApiError } from '#protocol/error.ts'
import { bodyIn } from './dialect.ts'
import { concealed } from './render-error.ts'

/** Between comments, so that nothing on the way takes a quiet stream for a dead one. */
const HEARTBEAT_MS = 15_000
const encoder = new TextEncoder()
const HEARTBEAT = encoder.encode(': heartbeat\n\n')

export interface EventStreamOptions {
  /** Called when the reader goes away before the end. */
  onCancel: () => void
  /** Called with what was thrown, before it is rendered as the last event. */
  onError: (error: unknown) => void
  /** What the last event says of an error; default: as OpenAI has it. */
  bodyOf?: (error: ApiError) => object
}

/**
 * Each value is one `data:` event; then `[DONE]`, or, if the sequence throws, one event with the error. Settles once the
 * first value is there, so that what fails before it is thrown and can have a status; a first value that is long in
 * coming is waited for in the stream.
 */
export async function eventStream(
  values: AsyncGenerator<unknown>,
  { onCancel, onError, bodyOf = (error) => bodyIn('openai', error) }: EventStreamOptions,
): Promise<Response> {
  const first = values.next()
  await settledOrLate(first)
  let next: typeof first | null = first
  let heartbeat: ReturnType<typeof setInterval> | null = null
  const stopHeartbeat = () => {
    if (heartbeat !== null) clearInterval(heartbeat)
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(HEARTBEAT)
      }, HEARTBEAT_MS)
    },
    async pull(controller) {
      const send = (data: string) => controller.enqueue(encoder.encode(`data: ${data}\n\n`))
      const end = (data: string) => {
        stopHeartbeat()
        send(data)
        controller.close()
      }
      try {
        const { done, value } = await (next ?? values.next())
        next = null
        if (done) end('[DONE]')
        else send(JSON.stringify(value))
      } catch (error) {
        onError(error)
        end(JSON.stringify(bodyOf(concealed(error))))
      }
    },
    async cancel() {
      stopHeartbeat()
      onCancel()
      await values.return(undefined)
    },
  })
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
  })
}

/** @throws what `first` throws, if it does so in time */
async function settledOrLate(first: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, HEARTBEAT_MS)
  })
  try {
    await Promise.race([first, late])
  } finally {
    if (timer !== null) clearTimeout(timer)
  }
}
