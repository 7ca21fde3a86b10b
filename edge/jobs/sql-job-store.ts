/** A job's state, events and checkpoints in its object's own database. */
import { ApiError } from '#protocol/error.ts'
import type { CheckpointQuery, EventQuery, JobCheckpoint, JobEvent, JobMetrics } from '#protocol/training.ts'
import type { JobStore, KeptJob } from './job-run.ts'
import { type Change, checkpointOf, type JobRecord, shortId } from './job-state.ts'

/** Kept; beyond them the oldest are dropped. One a second for half a day. */
const MOST_EVENTS = 50_000
const JOB = 'job'
/** The most numbers that a query can be cut at. */
const LAST = Number.MAX_SAFE_INTEGER

export interface EventPage {
  readonly data: readonly JobEvent[]
  readonly hasMore: boolean
}

export class SqlJobStore implements JobStore {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  load(): KeptJob | null {
    return this.#storage.kv.get<KeptJob>(JOB) ?? null
  }

  save(
    { record, state, checkpoint }: { record: JobRecord } & Change,
    events: readonly JobEvent[],
    first: number,
    now: number,
  ) {
    this.#storage.transactionSync(() => {
      if (first === 0) this.#create()
      this.#storage.kv.put<KeptJob>(JOB, { record, state, events: first + events.length })
      for (const [i, event] of events.entries()) {
        const metrics = event.data === null ? 0 : 1
        this.#sql(
          'INSERT INTO events (number, metrics, event) VALUES (?, ?, ?)',
          first + i,
          metrics,
          JSON.stringify(event),
        )
      }
      if (events.length > 0) this.#sql('DELETE FROM events WHERE number < ?', first + events.length - MOST_EVENTS)
      if (checkpoint) {
        const made = JSON.stringify({ ...checkpoint, at: now })
        this.#sql('INSERT OR REPLACE INTO checkpoints (step, made) VALUES (?, ?)', checkpoint.step, made)
      }
    })
  }

  sync(): Promise<void> {
    return this.#storage.sync()
  }

  async wakeAt(time: number | null): Promise<void> {
    if (time === null) await this.#storage.deleteAlarm()
    else await this.#storage.setAlarm(time)
  }

  /** @throws ApiError 400 if there is none to list `after` */
  events({ record }: KeptJob, { limit, after, order }: EventQuery): EventPage {
    const from = this.#after(after, `ftevent-${shortId(record.id)}-`, order === 'asc' ? -1 : LAST)
    const rows = this.#sql<{ event: string }>(
      order === 'asc'
        ? 'SELECT event FROM events WHERE number > ? ORDER BY number LIMIT ?'
        : 'SELECT event FROM events WHERE number < ? ORDER BY number DESC LIMIT ?',
      from,
      limit + 1,
    )
    return {
      data: rows.slice(0, limit).map(({ event }) => JSON.parse(event) as JobEvent),
      hasMore: rows.length > limit,
    }
  }

  /** All metrics, oldest first. */
  metrics(): JobMetrics[] {
    const rows = this.#sql<{ event: string }>('SELECT event FROM events WHERE metrics = 1 ORDER BY number')
    return rows.flatMap(({ event }) => (JSON.parse(event) as JobEvent).data ?? [])
  }

  /** Newest first. @throws ApiError 400 if there is none to list `after` */
  checkpoints({ record, state }: KeptJob, { limit, after }: CheckpointQuery) {
    const from = this.#after(after, `ftckpt-${shortId(record.id)}-`, LAST)
    const rows = this.#sql<{ made: string }>(
      'SELECT made FROM checkpoints WHERE step < ? ORDER BY step DESC LIMIT ?',
      from,
      limit + 1,
    )
    const data = rows.slice(0, limit).map(({ made }): JobCheckpoint => checkpointOf(record, state, JSON.parse(made)))
    return { data, hasMore: rows.length > limit }
  }

  /** The number that an id names. */
  #after(id: string | undefined, prefix: string, otherwise: number): number {
    if (id === undefined) return otherwise
    const number = id.startsWith(prefix) ? id.slice(prefix.length) : ''
    if (/^\d{1,15}$/.test(number)) return Number(number)
    throw new ApiError('invalid_value', `Invalid 'after': there is no '${id}'.`, { param: 'after' })
  }

  #create(): void {
    this.#sql(
      'CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, metrics INTEGER NOT NULL, event TEXT NOT NULL)',
    )
    this.#sql('CREATE TABLE IF NOT EXISTS checkpoints (step INTEGER PRIMARY KEY, made TEXT NOT NULL)')
  }

  #sql<Row extends Record<string, SqlStorageValue>>(statement: string, ...values: (string | number)[]): Row[] {
    return this.#storage.sql.exec<Row>(statement, ...values).toArray()
  }
}
