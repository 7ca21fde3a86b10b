/**
 * Writes the ledger in batches, for answers that come by the thousand a second: what one Worker answered within a moment
 * is one statement. What is in hand when the Worker is killed, at most that moment's, is lost to the ledger.
 */
import type { EdgeContext } from '../context.ts'
import { logFailure } from '../http/log.ts'
import { type UsageEntry, writeUsage } from '../storage/usage.ts'

const MOMENT_MS = 50
/** Kept for another try if the database is away; beyond it they are dropped, and the log says so. */
const MOST_KEPT = 5_000

let waiting: UsageEntry[] = []
let writing = false

/** Takes down that a request was answered. It is written soon, after the answer. */
export function record(c: EdgeContext, entry: UsageEntry): void {
  waiting.push(entry)
  if (writing) return
  writing = true
  c.executionCtx.waitUntil(write(c))
}

async function write(c: EdgeContext): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, MOMENT_MS))
  const entries = waiting
  waiting = []
  writing = false
  try {
    await writeUsage(c.env.DB, entries)
  } catch (error) {
    waiting = [...entries, ...waiting].slice(0, MOST_KEPT)
    logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, error)
  }
}
