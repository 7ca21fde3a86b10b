/** Texts as they come, as bytes on the way to a reader. */

const HEARTBEAT_MS = 15_000
const HEARTBEAT = new TextEncoder().encode(': heartbeat\n\n')

/** With a comment now and then, so that nothing on the way takes a quiet stream for a dead one. */
export function bytesOf(texts: AsyncGenerator<string, void, void>, onCancel?: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let heartbeat: ReturnType<typeof setInterval> | null = null
  return new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(HEARTBEAT)
      }, HEARTBEAT_MS)
    },
    async pull(controller) {
      const { done, value } = await texts.next()
      if (!done) return controller.enqueue(encoder.encode(value))
      if (heartbeat !== null) clearInterval(heartbeat)
      controller.close()
    },
    cancel() {
      if (heartbeat !== null) clearInterval(heartbeat)
      onCancel?.()
    },
  })
}

/** Settles early when `signal` is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake)
  })
}
