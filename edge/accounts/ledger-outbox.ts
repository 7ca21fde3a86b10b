/**
 * The Durable Object that keeps rows of the ledger until they are in D1. A write here takes a fraction of one there, so that an
 * answer can wait for it; many of them become one statement. What is written twice, after a crash, is one row.
 */
import { DurableObject } from 'cloudflare:workers'
import type { Bindings } from '../env.ts'
import { logFailure } from '../http/log.ts'
import { type UsageEntry, writeUsage } from '../storage/usage.ts'
import type { LedgerObject } from './ledger-object.ts'

/** How long rows gather here. */
const GATHER_MS = 1_000
/** If the database is away: twice as long each time. */
const AGAIN_MS = { first: 500, longest: 60_000 }
/** Of rows, in one statement: D1 takes 2 MB. One part always is in it. */
const MOST_CHARACTERS = 1_000_000

/** What one write brought. */
interface Part extends Record<string, SqlStorageValue> {
  id: number
  entries: string
}

export class LedgerOutbox extends DurableObject<Bindings> implements LedgerObject {
  #againMs = AGAIN_MS.first
  /** Whether an alarm is on its way, as far as is known here. */
  #isDue = false

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    ctx.storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS parts (id INTEGER PRIMARY KEY AUTOINCREMENT, entries TEXT NOT NULL)',
    )
  }

  async keep(entries: string): Promise<void> {
    this.ctx.storage.sql.exec('INSERT INTO parts (entries) VALUES (?)', entries)
    if (!this.#isDue) {
      this.#isDue = true
      await this.ctx.storage.setAlarm(Date.now() + GATHER_MS)
    }
    await this.ctx.storage.sync()
  }

  async flush(): Promise<void> {
    for (;;) {
      const parts = this.#oldest()
      const last = parts.at(-1)
      if (!last) return
      await writeUsage(
        this.env.DB,
        parts.flatMap(({ entries }) => JSON.parse(entries) as UsageEntry[]),
      )
      this.ctx.storage.sql.exec('DELETE FROM parts WHERE id <= ?', last.id)
    }
  }

  /** As many as fit into one statement. */
  #oldest(): Part[] {
    const parts: Part[] = []
    let size = 0
    for (const part of this.ctx.storage.sql.exec<Part>('SELECT id, entries FROM parts ORDER BY id')) {
      size += part.entries.length
      if (parts.length > 0 && size > MOST_CHARACTERS) break
      parts.push(part)
    }
    return parts
  }

  override async alarm(): Promise<void> {
    this.#isDue = false
    try {
      await this.flush()
      this.#againMs = AGAIN_MS.first
    } catch (error) {
      logFailure({ requestId: '', method: 'ALARM', route: '/v1/usage' }, error)
      // An alarm that throws is tried again a few times only.
      this.#isDue = true
      await this.ctx.storage.setAlarm(Date.now() + this.#againMs)
      this.#againMs = Math.min(2 * this.#againMs, AGAIN_MS.longest)
    }
  }
}
