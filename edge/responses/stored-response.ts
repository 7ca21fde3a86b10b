/**
 * The Durable Object that owns stored responses: those of one owner, an eighth of them each, since a file of its own for every
 * response costs more than all else that is written of it (decision 6). It answers by calls; what it gives is JSON, since a
 * class does not survive the way between two isolates.
 */
import { DurableObject } from 'cloudflare:workers'
import { ApiError } from '#protocol/error.ts'
import { renewing } from '../accounts/admission.ts'
import type { Bindings } from '../env.ts'
import { logFailure } from '../http/log.ts'
import { Runners } from '../runners/runners.ts'
import type { ResponseRecord } from './record.ts'
import type { Refusal, ResponseObject } from './response-object.ts'
import { ResponseRun } from './response-run.ts'
import { settle } from './settle.ts'
import { ResponseTables, type SqlResponseStore } from './sql-response-store.ts'
import { bytesOf, sleep } from './streams.ts'
import { WritePace } from './write-pace.ts'

/** Kept after its making, as OpenAI has it. */
const KEPT_MS = 30 * 24 * 3600 * 1000
/** An alarm may run for a quarter of an hour; what takes longer goes on in the next. */
const LONGEST_ALARM_MS = 5 * 60_000
/** Before what is left to do at the end is tried again: twice as long each time. */
const AGAIN_MS = { first: 1_000, longest: 5 * 60_000 }
/** Responses in memory that nobody works on. */
const MOST_IDLE = 32

/** Of all responses that this isolate has. */
const pace = new WritePace()

interface Kept {
  readonly store: SqlResponseStore
  readonly run: ResponseRun
}

export class StoredResponse extends DurableObject<Bindings> implements ResponseObject {
  readonly #tables: ResponseTables
  /** Those in memory, the one used last at the end. */
  readonly #kept = new Map<string, Kept>()
  /** Each settles when it is known whether the response that is being begun is refused. */
  readonly #beginnings = new Map<string, Promise<unknown>>()
  /** Those that are being worked on: each settles when there is nothing to do, or that cannot be done now. */
  readonly #working = new Map<string, Promise<void>>()
  /** Whether an alarm is due, or at work, that would wake what is being worked on after a crash. */
  #isAwake = false
  /** Something is to be tried again. */
  #hasFailed = false
  #againMs = AGAIN_MS.first

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    this.#tables = new ResponseTables(ctx.storage)
    this.#resume()
  }

  async begin(record: ResponseRecord, fingerprint: string): Promise<Refusal | null> {
    const { id } = record.response
    // The same request twice at once: the second has the first's response, or if that is refused one of its own.
    while (this.#beginnings.has(id)) await this.#beginnings.get(id)
    const kept = this.#find(id)
    if (kept.run.record) return kept.store.fingerprint === fingerprint ? null : refusal(anothersKey())
    const begun = this.#begin(kept, record, fingerprint)
    this.#beginnings.set(
      id,
      begun.catch(() => {}).finally(() => this.#beginnings.delete(id)),
    )
    return begun
  }

  async #begin({ store, run }: Kept, record: ResponseRecord, fingerprint: string): Promise<Refusal | null> {
    const { id } = record.response
    try {
      // All in one write: a response that is there has an alarm.
      store.fingerprint = fingerprint
      const begun = run.begin(record)
      this.#work(id, run)
      await Promise.all([this.#wake(), begun])
      return null
    } catch (error) {
      this.#kept.delete(id)
      if (error instanceof ApiError) return refusal(error)
      throw error
    }
  }

  async begunBy(id: string, fingerprint: string): Promise<'nobody' | 'same' | 'other'> {
    while (this.#beginnings.has(id)) await this.#beginnings.get(id)
    const { store, run } = this.#find(id)
    if (!run.record) return 'nobody'
    return store.fingerprint === fingerprint ? 'same' : 'other'
  }

  async response(id: string): Promise<string | null> {
    return json(this.#find(id).run.response)
  }

  async input(id: string): Promise<string | null> {
    return json(this.#find(id).run.record?.input)
  }

  async whole(id: string): Promise<string | null> {
    const { run } = this.#find(id)
    await run.whole()
    return json(run.response)
  }

  async events(id: string, after: number): Promise<ReadableStream<Uint8Array> | null> {
    const { run } = this.#find(id)
    return run.record ? bytesOf(run.read(after)) : null
  }

  async cancel(id: string): Promise<string | null> {
    const { run } = this.#find(id)
    if (!run.record) return null
    await this.#cancel(run)
    return json(run.response)
  }

  async remove(id: string): Promise<boolean> {
    const { run, store } = this.#find(id)
    if (!run.record) return false
    await this.#cancel(run)
    if (!run.settled) throw new Error('what the response used could not be written down yet')
    store.clear()
    this.#kept.delete(id)
    return true
  }

  async #cancel(run: ResponseRun): Promise<void> {
    try {
      await run.cancel()
    } finally {
      // What is left to do is tried again.
      if (!run.settled) await this.#wake()
    }
  }

  /** Keeps the object alive while it works, and wakes it after a crash; at last it ends what has been kept long enough. */
  override async alarm(): Promise<void> {
    this.#isAwake = true
    this.#hasFailed = false
    this.#resume()
    const over = new AbortController()
    const longest = sleep(LONGEST_ALARM_MS, over.signal).then(() => over.abort())
    while (this.#working.size > 0 && !over.signal.aborted) await Promise.race([longest, ...this.#working.values()])
    if (this.#working.size > 0) return this.ctx.storage.setAlarm(Date.now())
    over.abort()
    // In one step with what comes next: who begins from now on sets an alarm of its own, after this one.
    this.#isAwake = false
    if (this.#hasFailed || this.#tables.open().length > 0) {
      // An alarm that throws is tried again a few times only.
      const again = this.ctx.storage.setAlarm(Date.now() + this.#againMs)
      this.#againMs = Math.min(2 * this.#againMs, AGAIN_MS.longest)
      return again
    }
    this.#againMs = AGAIN_MS.first
    for (const id of this.#tables.madeBefore(Date.now() - KEPT_MS)) {
      this.#find(id).store.clear()
      this.#kept.delete(id)
    }
    const oldest = this.#tables.oldest()
    if (oldest !== undefined) await this.ctx.storage.setAlarm(oldest + KEPT_MS)
  }

  /** Goes on with all that is not settled. */
  #resume(): void {
    for (const id of this.#tables.open()) {
      if (this.#working.has(id)) continue
      const { run } = this.#find(id)
      run.resume()
      this.#work(id, run)
    }
  }

  async #wake(): Promise<void> {
    if (this.#isAwake) return
    this.#isAwake = true
    await this.ctx.storage.setAlarm(Date.now())
  }

  #work(id: string, run: ResponseRun): void {
    const work = this.#accompany(run).finally(() => this.#working.delete(id))
    this.#working.set(id, work)
  }

  /** Keeps its reservation, and sees to what goes wrong. */
  async #accompany(run: ResponseRun): Promise<void> {
    const { record } = run
    if (!record) return
    using _reservation = renewing(this.env, record.account, record.response.id)
    try {
      await run.idle()
    } catch (error) {
      logFailure({ requestId: record.requestId, method: 'ALARM', route: '/v1/responses' }, error)
      this.#hasFailed = true
      // What is in memory may be ahead of what is kept: it begins again from there, when the alarm is tried again.
      if (run.broken) this.ctx.abort('a response could not be kept')
    }
  }

  #find(id: string): Kept {
    const found = this.#kept.get(id) ?? this.#load(id)
    this.#kept.delete(id)
    this.#kept.set(id, found)
    return found
  }

  #load(id: string): Kept {
    for (const other of this.#kept.keys()) {
      if (this.#kept.size - this.#working.size < MOST_IDLE) break
      if (!this.#working.has(other) && !this.#beginnings.has(other)) this.#kept.delete(other)
    }
    const store = this.#tables.of(id)
    const run: ResponseRun = new ResponseRun({
      store,
      generate: (request, signal) => new Runners(this.env, run.record?.requestId ?? '').generate(request, signal),
      now: () => Date.now(),
      sleep,
      pace,
      settle: (record, response, used) => settle(this.env, record, response, used),
    })
    return { store, run }
  }
}

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))

function anothersKey(): ApiError {
  return new ApiError('idempotency_key_reused', 'This Idempotency-Key was used for another request already.')
}

function refusal(error: ApiError): Refusal {
  return { error: error.detail, retryAfter: error.retryAfter ?? null }
}
