/**
 * Writes the ledger for answers that come by the thousand a second. An answer leaves when its row is kept, so that whenever the
 * Worker is killed, what was delivered is in the ledger.
 */
import type { EdgeContext } from '../context.ts'
import type { UsageEntry } from '../storage/usage.ts'
import { GroupCommit } from './group-commit.ts'

/** The one object that keeps rows on their way to D1. */
export const LEDGER = 'ledger'

/** One for each Worker: what it answers at once is kept together. */
const commits = new GroupCommit<UsageEntry>()

/** Settles when the row is kept. @throws what stopped that: the answer must not leave then */
export function record(c: EdgeContext, entry: UsageEntry): Promise<void> {
  return commits.commit(entry, {
    write: (entries) => c.env.LEDGER.getByName(LEDGER).keep(JSON.stringify(entries)),
    keep: (work) => c.executionCtx.waitUntil(work),
  })
}
