/**
 * The Durable Object that owns one stored response. It answers by calls; what it gives is JSON, since a class does not
 * survive the way between two isolates.
 */
import { DurableObject } from 'cloudflare:workers'
import { ApiError } from '#protocol/error.ts'
import { renewing } from '../accounts/admission.ts'
import type { Bindings } from '../env.ts'
import { logFailure } from '../http/log.ts'
import { Runners } from '../runners/runners.ts'
import type { ResponseRecord } from './record.ts'
import type { Refusal, ResponseObject } from './response-object.ts'
import { type KeptResponse, ResponseRun, type ResponseStore } from './response-run.ts'
import { settle } from './settle.ts'
import { bytesOf, sleep } from './streams.ts'
import { WritePace } from './write-pace.ts'
import type { LogEntry } from './writer.ts'

/** Kept after its making, as OpenAI has it. */
const KEPT_MS = 30 * 24 * 3600 * 1000
/** An alarm may run for a quarter of an hour; what takes longer goes on in the next. */
const LONGEST_ALARM_MS = 5 * 60_000
/** Before what is left to do at the end is tried again: twice as long each time. */
const AGAIN_MS = { first: 1_000, longest: 5 * 60_000 }

/** Of all responses that this isolate has. */
const pace = new WritePace()

export class StoredResponse extends DurableObject<Bindings> implements ResponseObject {
  readonly #store: SqlStore
  #run: ResponseRun
  /** Settles when it is known whether the response that is being begun is refused. */
  #beginning: Promise<unknown> | undefined
  #againMs = AGAIN_MS.first

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    this.#store = new SqlStore(ctx.storage)
    this.#run = this.#newRun()
    this.#run.resume()
  }

  async begin(record: ResponseRecord, fingerprint: string): Promise<Refusal | null> {
    // The same request twice at once: the second has the first's response, or if that is refused one of its own.
    while (this.#beginning) await this.#beginning
    if (this.#run.record) return this.#store.fingerprint() === fingerprint ? null : refusal(anothersKey())
    const begun = this.#begin(record, fingerprint)
    this.#beginning = begun
      .catch(() => {})
      .finally(() => {
        this.#beginning = undefined
      })
    return begun
  }

  async #begin(record: ResponseRecord, fingerprint: string): Promise<Refusal | null> {
    try {
      // All in one write: what has an alarm has a record.
      this.#store.setFingerprint(fingerprint)
      await Promise.all([this.ctx.storage.setAlarm(Date.now()), this.#run.begin(record)])
      return null
    } catch (error) {
      await this.ctx.storage.deleteAlarm()
      this.#run = this.#newRun()
      if (error instanceof ApiError) return refusal(error)
      throw error
    }
  }

  async begunBy(fingerprint: string): Promise<'nobody' | 'same' | 'other'> {
    while (this.#beginning) await this.#beginning
    if (!this.#run.record) return 'nobody'
    return this.#store.fingerprint() === fingerprint ? 'same' : 'other'
  }

  async response(owner: string): Promise<string | null> {
    return this.#isOf(owner) ? JSON.stringify(this.#run.response) : null
  }

  async input(owner: string): Promise<string | null> {
    return this.#isOf(owner) ? JSON.stringify(this.#run.record?.input) : null
  }

  async whole(owner: string): Promise<string | null> {
    if (!this.#isOf(owner)) return null
    await this.#run.whole()
    return JSON.stringify(this.#run.response)
  }

  async events(owner: string, after: number): Promise<ReadableStream<Uint8Array> | null> {
    return this.#isOf(owner) ? bytesOf(this.#run.read(after)) : null
  }

  async cancel(owner: string): Promise<string | null> {
    if (!this.#isOf(owner)) return null
    await this.#run.cancel()
    return JSON.stringify(this.#run.response)
  }

  async remove(owner: string): Promise<boolean> {
    if (!this.#isOf(owner)) return false
    await this.#run.cancel()
    if (!this.#run.settled) throw new Error('what the response used could not be written down yet')
    await this.#clear()
    return true
  }

  /** Keeps the object alive while it works, and wakes it after a crash; at last it ends what has been kept long enough. */
  override async alarm(): Promise<void> {
    const { record } = this.#run
    if (!record) return
    this.#run.resume()
    using _reservation = renewing(this.env, record.account, record.response.id)
    try {
      const ended = new AbortController()
      const work = this.#run.idle().finally(() => ended.abort())
      const over = await Promise.race([work.then(() => true), sleep(LONGEST_ALARM_MS, ended.signal).then(() => false)])
      if (!over && !ended.signal.aborted) return await this.ctx.storage.setAlarm(Date.now())
      await work
    } catch (error) {
      logFailure({ requestId: record.requestId, method: 'ALARM', route: '/v1/responses' }, error)
      if (!this.#run.broken) {
        // An alarm that throws is tried again a few times only.
        await this.ctx.storage.setAlarm(Date.now() + this.#againMs)
        this.#againMs = Math.min(2 * this.#againMs, AGAIN_MS.longest)
        return
      }
      // What is in memory may be ahead of what is kept: it begins again from there, when the alarm is tried again.
      this.ctx.abort('a response could not be kept')
      throw error
    }
    // It was refused after all.
    if (this.#run.record !== record) return
    const end = record.createdAt + KEPT_MS
    if (Date.now() >= end) await this.#clear()
    else await this.ctx.storage.setAlarm(end)
  }

  #isOf(owner: string): boolean {
    return this.#run.record?.owner === owner
  }

  async #clear(): Promise<void> {
    await this.ctx.storage.deleteAlarm()
    await this.#store.clear()
    this.#run = this.#newRun()
  }

  #newRun(): ResponseRun {
    return new ResponseRun({
      store: this.#store,
      generate: (request, signal) => {
        const requestId = this.#run.record?.requestId ?? ''
        return new Runners(this.env, requestId).generate(request, signal)
      },
      now: () => Date.now(),
      sleep,
      pace,
      settle: (record, response, used) => settle(this.env, record, response, used),
    })
  }
}

class SqlStore implements ResponseStore {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  load(): KeptResponse | null {
    // A name that somebody made up must leave nothing behind.
    const made = this.#sql("SELECT 1 AS made FROM sqlite_master WHERE name = 'response'").length > 0
    const [row] = made ? this.#sql<{ record: string | null; settled: number }>('SELECT * FROM response') : []
    if (!row?.record) return null
    const parts = this.#sql<{ entries: string }>('SELECT entries FROM log ORDER BY first')
    return {
      record: JSON.parse(row.record) as ResponseRecord,
      log: parts.flatMap(({ entries }) => JSON.parse(entries) as LogEntry[]),
      settled: row.settled === 1,
    }
  }

  /** What the request was made of, so that a repeated one is known. */
  fingerprint(): string | undefined {
    return this.#sql<{ fingerprint: string }>('SELECT fingerprint FROM response')[0]?.fingerprint
  }

  setFingerprint(fingerprint: string): void {
    this.#sql(
      'CREATE TABLE IF NOT EXISTS response (fingerprint TEXT NOT NULL, record TEXT, settled INTEGER NOT NULL DEFAULT 0)',
    )
    this.#sql('CREATE TABLE IF NOT EXISTS log (first INTEGER PRIMARY KEY, entries TEXT NOT NULL)')
    this.#sql('DELETE FROM response')
    this.#sql('INSERT INTO response (fingerprint) VALUES (?)', fingerprint)
  }

  begin(record: ResponseRecord): void {
    this.#sql('UPDATE response SET record = ?', JSON.stringify(record))
  }

  append(first: number, entries: readonly LogEntry[]): void {
    this.#sql('INSERT INTO log (first, entries) VALUES (?, ?)', first, JSON.stringify(entries))
  }

  markSettled(): void {
    this.#sql('UPDATE response SET settled = 1')
  }

  async clear(): Promise<void> {
    await this.#storage.deleteAll()
  }

  sync(): Promise<void> {
    return this.#storage.sync()
  }

  #sql<Row extends Record<string, SqlStorageValue>>(statement: string, ...values: (string | number)[]): Row[] {
    return this.#storage.sql.exec<Row>(statement, ...values).toArray()
  }
}

function anothersKey(): ApiError {
  return new ApiError('idempotency_key_reused', 'This Idempotency-Key was used for another request already.')
}

function refusal(error: ApiError): Refusal {
  return { error: error.detail, retryAfter: error.retryAfter ?? null }
}
