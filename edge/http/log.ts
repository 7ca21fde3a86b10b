/** The log: one JSON line an event, without prompts, keys or anything else a caller sent. */

export interface Failure {
  requestId: string
  method: string
  /** As the router has it, `/v1/models/:id`, so that nothing a caller wrote is in it. */
  route: string
}

/** Logs what was thrown by its name and where; its message only where it cannot hold a caller's words. */
export function logFailure(failure: Failure, error: unknown): void {
  const line = { level: 'error', event: 'request-failed', ...failure, error: describe(error) }
  console.error(JSON.stringify(line))
}

/** Logs why a published model cannot be run: what lies in the object store is at fault, and holds no caller's words. */
export function logUnusableModel(model: string, reason: string): void {
  console.error(JSON.stringify({ level: 'error', event: 'model-unusable', model, reason: reason.slice(0, 500) }))
}

function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error }
  const frames = (error.stack ?? '').split('\n').filter((frame) => /^\s+at /.test(frame))
  return {
    name: error.name,
    // D1 speaks of tables and columns, never of values.
    ...(error.message.startsWith('D1_') ? { message: error.message } : {}),
    stack: frames.slice(0, 12).map((frame) => frame.trim()),
  }
}
