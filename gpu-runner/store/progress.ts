/** How far a pull is. */
export interface PullProgress {
  readonly model: string
  /** Where the bytes come from: a host, or a package's name. */
  readonly source: string
  readonly receivedBytes: number
  readonly totalBytes: number
  readonly bytesPerSecond: number
  /** Undefined until there is something to reckon from. */
  readonly secondsLeft: number | undefined
}

const MS_BETWEEN_REPORTS = 200

/** Counts bytes and reports at most five times a second, and at the end. */
export function progressMeter(
  model: string,
  source: string,
  totalBytes: number,
  report: (progress: PullProgress) => void,
): (receivedBytes: number) => void {
  const startedAt = performance.now()
  let first: number | undefined
  let reportedAt = 0
  return (receivedBytes) => {
    const now = performance.now()
    first ??= receivedBytes
    if (now - reportedAt < MS_BETWEEN_REPORTS && receivedBytes < totalBytes) return
    reportedAt = now
    const seconds = (now - startedAt) / 1000
    const bytesPerSecond = seconds > 0 ? (receivedBytes - first) / seconds : 0
    const secondsLeft = bytesPerSecond > 0 ? (totalBytes - receivedBytes) / bytesPerSecond : undefined
    report({ model, source, receivedBytes, totalBytes, bytesPerSecond, secondsLeft })
  }
}
