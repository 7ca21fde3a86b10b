/**
 * Writes the ledger for answers that come by the thousand a second. An answer leaves when its row is kept, so that whenever the
 * Worker is killed, what was delivered is in the ledger. Each request asks for itself: workerd lets none wait for what
 * another has asked for.
 */
import type { EdgeContext } from '../context.ts'
import type { UsageEntry } from '../storage/usage.ts'

/** The one object that keeps rows on their way to D1. */
export const LEDGER = 'ledger'

/** Settles when the row is kept. @throws what stopped that: the answer must not leave then */
export function record(c: EdgeContext, entry: UsageEntry): Promise<void> {
  return c.env.LEDGER.getByName(LEDGER).keep(JSON.stringify([entry]))
}
