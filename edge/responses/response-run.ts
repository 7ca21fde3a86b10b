/**
 * One response from its request to its end: asks the runner, keeps what it says, tells all who read, and takes the
 * answer up again when a runner or this very process is gone in the middle. Without a clock, a network or a database in
 * it: those are given.
 */
import { ApiError } from '#protocol/error.ts'
import type { GenerationEvent, GenerationRequest } from '#protocol/generation.ts'
import type { Response, ResponseEvent } from '#protocol/responses.ts'
import { Meter } from '../accounts/admission.ts'
import { concealed } from '../http/render-error.ts'
import type { UsageEntry } from '../storage/usage.ts'
import { ledgerId, type ResponseRecord } from './record.ts'
import type { WritePace } from './write-pace.ts'
import { type LogEntry, ResponseWriter } from './writer.ts'

/** Of the ledger's rows. */
export const ROUTE = '/v1/responses'
/**
 * How long an answer that somebody waits for holds out: with no runner in reach, and with one that is loading. The first is
 * such that whoever reads hears of the end within 2 s.
 */
const PATIENCE_MS = { away: 1_800, loading: 60_000 }
/** How long one holds out that was asked for in the background. */
const BACKGROUND_PATIENCE_MS = 24 * 3600 * 1000
/** A request that ends so many runners is left alone. */
const MOST_DEATHS = 3
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000

/** What passes: another try may have an answer. */
const PASSING = new Set(['runner_failed', 'runner_unavailable', 'runner_timeout', 'queue_full', 'model_loading'])

export interface KeptResponse {
  readonly record: ResponseRecord
  readonly log: readonly LogEntry[]
  readonly settled: boolean
}

export interface ResponseStore {
  load(): KeptResponse | null
  begin(record: ResponseRecord): void
  /** @param first the place of the first of them in the log */
  append(first: number, entries: readonly LogEntry[]): void
  markSettled(): void
  clear(): void
  /** Settles when all that was written would survive a crash. */
  sync(): Promise<void>
}

export interface ResponseWorld {
  readonly store: ResponseStore
  /** @throws ApiError what the runner refuses the request with */
  generate(request: GenerationRequest, signal: AbortSignal): Promise<AsyncIterable<GenerationEvent>>
  /** Milliseconds since the epoch. */
  now(): number
  /** Settles early when `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  readonly pace: WritePace
  /**
   * Called when it has ended and that is kept, before anybody is told, so that whoever hears of the end finds what it left;
   * again if that failed (they are told all the same), or after a crash right then.
   * @param used null if nothing was generated
   */
  settle(record: ResponseRecord, response: Response, used: UsageEntry | null): Promise<void>
}

export class ResponseRun {
  readonly #world: ResponseWorld
  #record: ResponseRecord | undefined
  #writer: ResponseWriter | undefined
  #meter: Meter | undefined
  readonly #log: LogEntry[] = []
  /** What has happened and is not kept yet, so that nobody has been told of it. */
  #pending: LogEntry[] = []
  #keeping: Promise<void> | undefined
  /** Until then what comes is gathered, to be kept together. */
  #restUntil = Number.NEGATIVE_INFINITY
  #resting: AbortController | undefined
  /** Why something could not be kept: what is in memory is ahead of what is kept, and this run is of no more use. */
  #broken: unknown
  /** By sequence number, as they are sent. */
  readonly #events: string[] = []
  /** Settles with the next change. */
  #changed = Promise.withResolvers<void>()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #settled = false
  /** Its end, which is kept and nobody has been told of: the last events, and what it was before them. */
  #untold: { readonly events: readonly ResponseEvent[]; readonly before: Response } | undefined

  constructor(world: ResponseWorld) {
    this.#world = world
    const kept = world.store.load()
    if (!kept) return
    this.#settled = kept.settled
    this.#adopt(kept.record)
    this.#enter(kept.log)
  }

  get record(): ResponseRecord | undefined {
    return this.#record
  }
  /** As it is now, as far as anybody has been told; undefined before it begins. */
  get response(): Response | undefined {
    return this.#untold?.before ?? this.#writer?.response
  }
  get ended(): boolean {
    return this.#over && this.#untold === undefined
  }
  /** Whether nothing is left to do. */
  get settled(): boolean {
    return this.#settled
  }
  /** Whether what is in memory is ahead of what is kept. */
  get broken(): boolean {
    return this.#broken !== undefined
  }
  /** Whether its end is kept. */
  get #over(): boolean {
    return this.#writer?.ended === true
  }

  /**
   * Begins; settles when the runner has taken it, or at once if it is to be answered in the background.
   * @throws ApiError what the runner refuses it with; nothing is kept then, and this run is of no more use
   */
  async begin(record: ResponseRecord): Promise<void> {
    this.#world.store.begin(record)
    this.#adopt(record)
    if (record.response.background) {
      this.resume()
      return
    }
    const asked = this.#world.generate(this.#request(record), this.#stop.signal).catch((error: unknown) => {
      this.#world.store.clear()
      this.#record = undefined
      this.#writer = undefined
      this.#running = undefined
      this.#tell([])
      throw error
    })
    // Until the runner has taken or refused it, it is being worked on.
    this.#running = asked.then(
      () => {},
      () => {},
    )
    this.#start(record, await asked)
  }

  /** Goes on with what has begun and is not being worked on. */
  resume(): void {
    if (this.#record && !this.#settled && !this.#running) this.#start(this.#record)
  }

  /** Settles when it is not being worked on; rejects with what kept that from being done. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Ends it where it is. */
  async cancel(): Promise<void> {
    this.#stop.abort()
    await this.#take({ type: 'cancelled', at: this.#world.now() })
    const idle = () =>
      this.idle().catch((error: unknown) => {
        // What is left to do after the end is tried again later.
        if (!this.ended) throw error
      })
    await idle()
    this.resume()
    await idle()
  }

  /** Its events as server-sent events, from the one after `after` to the last; waits for those to come. */
  async *read(after: number): AsyncGenerator<string, void, void> {
    let next = after + 1
    for (;;) {
      if (next < this.#events.length) {
        yield this.#events.slice(next).join('')
        next = this.#events.length
      } else if (this.ended || !this.#record) return
      else await this.#changed.promise
    }
  }

  /** Settles when it has ended. */
  async whole(): Promise<void> {
    while (this.#record && !this.ended) await this.#changed.promise
  }

  #adopt(record: ResponseRecord): void {
    this.#record = record
    this.#writer = new ResponseWriter(record)
    this.#meter = new Meter(record.createdAt)
    this.#tell(this.#writer.begin())
  }

  #start(record: ResponseRecord, begun?: AsyncIterable<GenerationEvent>): void {
    const running = this.#run(record, begun).finally(() => {
      this.#running = undefined
    })
    // Whoever waits for it hears of a failure; it is tried again later.
    running.catch(() => {})
    this.#running = running
  }

  async #run(record: ResponseRecord, begun?: AsyncIterable<GenerationEvent>): Promise<void> {
    if (!this.#over) await this.#generate(record, begun)
    if (!this.#over || this.#settled) return
    const response = this.#writer?.response ?? record.response
    const metered = { id: ledgerId(record), account: record.account, model: response.model, route: ROUTE }
    const used = this.#meter?.entry(metered, this.#world.now()) ?? null
    try {
      await this.#world.settle(record, response, used)
      this.#settled = true
      this.#world.store.markSettled()
    } finally {
      this.#tellEnd()
    }
  }

  async #generate(record: ResponseRecord, begun?: AsyncIterable<GenerationEvent>): Promise<void> {
    const { signal } = this.#stop
    let events = begun
    let deaths = 0
    let waitMs = FIRST_WAIT_MS
    let awaySince: number | undefined
    while (!signal.aborted) {
      let hasBegun = false
      try {
        events ??= await this.#world.generate(this.#request(record), signal)
        for await (const event of events) {
          hasBegun = true
          awaySince = undefined
          waitMs = FIRST_WAIT_MS
          const entry: LogEntry = { type: 'generation', event, at: this.#world.now() }
          const kept = this.#take(entry)
          // What comes while others are being kept is kept together.
          if (isLast(entry)) await kept
          else kept.catch(() => {})
          if (this.#broken !== undefined || this.#over) break
        }
        if (this.#over) return
        throw new ApiError('runner_failed', 'The runner stopped in the middle of the answer.')
      } catch (thrown) {
        await this.#keeping
        if (this.#broken !== undefined) throw this.#broken
        if (signal.aborted) return
        events = undefined
        const error = concealed(thrown)
        const now = this.#world.now()
        awaySince ??= now
        if (hasBegun) deaths++
        const patience = patienceFor(error, record)
        if (!PASSING.has(error.code) || deaths > MOST_DEATHS || now - awaySince >= patience) {
          await this.#take({ type: 'failed', error: error.detail, at: now })
          return
        }
        // The last try is when its patience ends.
        await this.#world.sleep(Math.min(waitMs, awaySince + patience - now), signal)
        waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
      }
    }
  }

  /** What is asked of a runner now: the request, from the tokens so far. */
  #request({ generation }: ResponseRecord): GenerationRequest {
    const heard = this.#log.flatMap((entry) => (entry.type === 'generation' ? [entry.event] : []))
    const said = heard.filter(({ type }) => type !== 'generation-start')
    const tokens = said.flatMap((event) => ('ids' in event ? (event.ids ?? []) : []))
    return { ...generation, resume: { tokens, events: said.length } }
  }

  /** Takes what has happened; settles when it is kept and told. What is told would survive a crash. */
  #take(entry: LogEntry): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    if (this.#over) return Promise.resolve()
    this.#pending.push(entry)
    if (isLast(entry)) this.#resting?.abort()
    this.#keeping ??= this.#keep()
    return this.#keeping
  }

  /** Nothing can be taken between its last look at what is pending and its end: both are in one step. */
  async #keep(): Promise<void> {
    try {
      while (this.#pending.length > 0 && !this.#over) {
        const restMs = this.#restUntil - this.#world.now()
        // The end waits for nothing.
        if (restMs > 0 && !this.#pending.some(isLast)) await this.#rest(restMs)
        const entries = this.#pending
        this.#pending = []
        const begun = this.#world.now()
        this.#world.store.append(this.#log.length, entries)
        await this.#world.store.sync()
        const now = this.#world.now()
        const pause = this.#world.pace.wrote(this, now - begun, now)
        this.#enter(entries)
        // Nor does the first of the text.
        if (this.#log.length > 1) this.#restUntil = now + pause
      }
    } catch (error) {
      this.#broken = error
      throw error
    } finally {
      this.#keeping = undefined
    }
  }

  /** Ends early when the last event comes. */
  async #rest(ms: number): Promise<void> {
    this.#resting = new AbortController()
    await this.#world.sleep(ms, this.#resting.signal)
    this.#resting = undefined
  }

  #enter(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.#log.push(entry)
      if (entry.type === 'generation') this.#meter?.take(entry.event)
      const before = isLast(entry) ? this.#writer?.response : undefined
      const events = this.#writer?.take(entry) ?? []
      if (before && !this.#settled) this.#untold ??= { events, before }
      else this.#tell(events)
    }
  }

  /** It is settled, or that could not be done now: nobody waits any longer. */
  #tellEnd(): void {
    const { events = [] } = this.#untold ?? {}
    this.#untold = undefined
    this.#tell(events)
  }

  #tell(events: readonly ResponseEvent[]): void {
    for (const event of events) this.#events.push(toSse(event, this.#events.length))
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Whether a response ends with it. */
function isLast(entry: LogEntry): boolean {
  if (entry.type !== 'generation') return true
  return entry.event.type === 'generation-finish' || entry.event.type === 'generation-error'
}

function patienceFor({ code }: ApiError, { response }: ResponseRecord): number {
  if (response.background) return BACKGROUND_PATIENCE_MS
  return code === 'model_loading' || code === 'queue_full' ? PATIENCE_MS.loading : PATIENCE_MS.away
}

function toSse({ type, ...rest }: ResponseEvent, number: number): string {
  return `event: ${type}\nid: ${number}\ndata: ${JSON.stringify({ type, sequence_number: number, ...rest })}\n\n`
}
