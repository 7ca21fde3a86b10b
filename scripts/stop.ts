/** The ways in which whoever started Tandem says that it is over. */

/**
 * One Ctrl-C arrives up to twice, from the terminal and passed on by npm; a second one in earnest comes later. A parent
 * that waits for it to end has time to do so.
 */
const MS_OF_ONE_REQUEST = 1_000
const MS_BETWEEN_LOOKS = 1_000

interface StopHandlers {
  /** Called once. */
  readonly onStop: () => void
  /** Called when asked again. */
  readonly onForce: () => void
}

export function stopOnRequest({ onStop, onForce }: StopHandlers): void {
  let askedAt: number | undefined
  const ask = () => {
    if (askedAt === undefined) {
      askedAt = performance.now()
      onStop()
    } else if (performance.now() - askedAt > MS_OF_ONE_REQUEST) {
      onForce()
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask)
  // The parent's lifeline, where it gave one.
  process.once('disconnect', ask)
  // npm runs a shell that may not pass signals on, and may itself be killed: then this process gets another parent.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid
    const timer = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(timer)
      ask()
    }, MS_BETWEEN_LOOKS)
    timer.unref()
  }
  // A terminal that is gone takes no more lines; that alone is no reason to fail.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}
