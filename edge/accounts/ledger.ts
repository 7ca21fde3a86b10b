/**
 * Writes the ledger for answers that come by the thousand a second: all that is answered while one write is on its way is in
 * the next one (group commit, DeWitt et al. 1984, https://doi.org/10.1145/602259.602261). An answer leaves when its row is
 * kept, so that whenever the Worker is killed, what was delivered is in the ledger.
 */
import type { EdgeContext } from '../context.ts'
import type { UsageEntry } from '../storage/usage.ts'

interface Batch {
  readonly entries: UsageEntry[]
  readonly kept: Promise<void>
}

/** The one object that keeps rows on their way to D1. */
export const LEDGER = 'ledger'
/** One that takes longer holds up nobody else: whoever sent it may be gone. */
const LONGEST_WRITE_MS = 5_000

/** What waits for the write before it. */
let gathering: Batch | undefined
let last: Promise<unknown> = Promise.resolve()

/** Settles when the row is kept. @throws what stopped that: the answer must not leave then */
export function record(c: EdgeContext, entry: UsageEntry): Promise<void> {
  if (gathering === undefined) {
    const entries: UsageEntry[] = []
    const kept = keep(c, last, entries)
    gathering = { entries, kept }
    last = kept
    // Rows of others are in it, who wait although its sender may leave.
    c.executionCtx.waitUntil(kept.catch(() => {}))
  }
  gathering.entries.push(entry)
  return gathering.kept
}

async function keep(c: EdgeContext, before: Promise<unknown>, entries: readonly UsageEntry[]): Promise<void> {
  await settledOrLate(before)
  gathering = undefined
  await c.env.LEDGER.getByName(LEDGER).keep(JSON.stringify(entries))
}

async function settledOrLate(work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LONGEST_WRITE_MS)
  })
  await Promise.race([work.catch(() => {}), late])
  if (timer !== null) clearTimeout(timer)
}
