/**
 * One training job at work: takes what its owner and its runners say, keeps it, and then does what follows from it. What
 * is done outside (the list of jobs, the object store) follows from the state alone and may be done again, so that a kill
 * at any point leaves nothing but work that the next wake-up does. Knows no clock, network or database.
 */
import { ApiError } from '#protocol/error.ts'
import type { Job, JobError, JobEvent } from '#protocol/training.ts'
import type { EndReport, Report } from '#protocol/training-lease.ts'
import * as machine from './job-machine.ts'
import { type Change, hasEnded, type JobRecord, type JobState, type NewEvent, shortId } from './job-state.ts'
import { toJob } from './to-job.ts'

/** After something outside failed. */
const RETRY_MS = 1_000

const CONTROLS = { pause: machine.pause, resume: machine.resume, cancel: machine.cancel }

export interface KeptJob {
  readonly record: JobRecord
  readonly state: JobState
  /** Events so far. */
  readonly events: number
}

export interface JobStore {
  load(): KeptJob | null
  /** All or nothing. @param first the number of the first of `events` */
  save(kept: { record: JobRecord } & Change, events: readonly JobEvent[], first: number, now: number): void
  /** On the disk. */
  sync(): Promise<void>
  /** Wakes it then; null: no more. */
  wakeAt(time: number | null): Promise<void>
}

/** What is outside. Each may be done again, and fail. */
export interface JobSurroundings {
  /** What is wrong with the data files, as far as a look tells. */
  check(record: JobRecord): Promise<JobError | null>
  /** Whether all of these lie in the object store. */
  holds(keys: readonly string[]): Promise<boolean>
  /** The model's manifest if there is none yet, and the job's result files. @returns their ids */
  publish(record: JobRecord, state: JobState): Promise<string[]>
  /** The list of jobs. */
  list(record: JobRecord, job: Job, version: number): Promise<void>
  /** Removes what older checkpoints left; once the job has ended, all that it left but what was published. */
  clear(record: JobRecord, state: JobState): Promise<void>
  now(): number
  log(error: unknown): void
}

export class JobRun {
  readonly #store: JobStore
  readonly #outside: JobSurroundings
  #kept: KeptJob | null
  #working: Promise<void> | undefined
  #again = false

  constructor(store: JobStore, outside: JobSurroundings) {
    this.#store = store
    this.#outside = outside
    this.#kept = store.load()
  }

  get kept(): KeptJob | null {
    return this.#kept
  }

  /** Once; again it is the same. */
  async begin(record: JobRecord): Promise<void> {
    if (this.#kept) return
    await this.#keep(record, machine.begin(record), 0)
    await this.#store.wakeAt(this.#outside.now())
  }

  /** @throws ApiError 400 where the job is past it */
  async control(what: keyof typeof CONTROLS): Promise<void> {
    await this.#act(CONTROLS[what])
  }

  /** The job, if it waits for a runner. @returns the token */
  async lease(runner: string): Promise<number | null> {
    let token: number | null = null
    await this.#act((state, now) => {
      const change = machine.lease(state, runner, now)
      if (change.state !== state) token = change.state.token
      return change
    })
    return token
  }

  /**
   * @returns what the runner is to do
   * @throws ApiError 409 if the lease is another's, 422 if the checkpoint is not there
   */
  async report(told: Report): Promise<'go' | 'stop'> {
    await this.#requireCheckpoint(told)
    await this.#act((state, now) => machine.report(state, told, now))
    return machine.wishOf(this.#require().state)
  }

  /** @throws ApiError 409 if the lease is another's, 422 if what it made is not there */
  async end(told: EndReport): Promise<void> {
    await this.#requireCheckpoint(told)
    if (told.outcome.type === 'succeeded') {
      const files = filesOf(told.outcome.manifest.parts).map((sha256) => `models/${sha256}`)
      if (!(await this.#outside.holds(files))) throw missing('A file of the model')
    }
    await this.#act((state, now) => machine.end(state, told, now))
  }

  /** Does what is due. */
  async wake(): Promise<void> {
    if (!this.#kept) return
    const { state } = this.#kept
    const expired = machine.expire(state, this.#outside.now())
    if (expired.state !== state) await this.#keep(this.#kept.record, expired, this.#kept.events)
    await this.#work()
  }

  async #act(transition: (state: JobState, now: number) => Change): Promise<void> {
    const { record, state, events } = this.#require()
    const change = transition(state, this.#outside.now())
    if (change.state !== state) await this.#keep(record, change, events)
    await this.#work()
  }

  /** It is on the disk when this returns. */
  async #keep(record: JobRecord, change: Change, first: number): Promise<void> {
    const now = this.#outside.now()
    const events = change.events.map((event, i) => toEvent(record, event, first + i, now))
    this.#store.save({ record, ...change }, events, first, now)
    this.#kept = { record, state: change.state, events: first + events.length }
    await this.#store.sync()
  }

  /** One at a time; what comes while it works is done after. It fails for nobody: the next wake-up goes on. */
  async #work(): Promise<void> {
    this.#again = true
    this.#working ??= this.#workAll().finally(() => {
      this.#working = undefined
    })
    await this.#working
  }

  async #workAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      let failed = false
      try {
        await this.#validate()
        await this.#publish()
        await this.#clear()
        await this.#list()
      } catch (error) {
        this.#outside.log(error)
        failed = true
      }
      await this.#store.wakeAt(this.#nextWake(failed))
    }
  }

  async #validate(): Promise<void> {
    const { record, state } = this.#require()
    if (state.validated || hasEnded(state)) return
    const problem = await this.#outside.check(record)
    await this.#follow((now) => machine.validated(this.#require().state, problem, now))
  }

  async #publish(): Promise<void> {
    const { record, state } = this.#require()
    if (!state.publishing) return
    const files = await this.#outside.publish(record, state)
    await this.#follow((now) => machine.published(this.#require().state, files, now))
  }

  async #clear(): Promise<void> {
    const { record, state } = this.#require()
    // Whoever is still at work may put something there.
    if (!state.littered || (hasEnded(state) && state.lease)) return
    await this.#outside.clear(record, state)
    await this.#follow(() => {
      const now = this.#require().state
      const isSame = now.checkpoint === state.checkpoint && now.status === state.status
      return { state: isSame ? { ...now, littered: false } : now, events: [] }
    })
  }

  async #list(): Promise<void> {
    const { record, state } = this.#require()
    if (state.listed >= state.version) return
    await this.#outside.list(record, toJob(record, state), state.version)
    await this.#follow(() => ({ state: { ...this.#require().state, listed: state.version }, events: [] }))
  }

  async #follow(transition: (now: number) => Change): Promise<void> {
    const { record, state, events } = this.#require()
    const change = transition(this.#outside.now())
    if (change.state !== state) await this.#keep(record, change, events)
  }

  #nextWake(failed: boolean): number | null {
    const { state } = this.#require()
    if (failed) return this.#outside.now() + RETRY_MS
    return state.lease?.until ?? null
  }

  async #requireCheckpoint({ token, checkpoint }: Report): Promise<void> {
    const { record, state } = this.#require()
    machine.heldBy(state, token)
    if (!checkpoint) return
    const { id } = record
    if (await this.#outside.holds([`checkpoints/${id}/${checkpoint.sha256}`])) return
    // Whoever has the job by now may have taken it away.
    machine.heldBy(this.#require().state, token)
    throw missing('The checkpoint')
  }

  #require(): KeptJob {
    if (this.#kept) return this.#kept
    throw new TypeError('the job has not begun')
  }
}

/** Hashes of a model's files. */
export function filesOf(parts: object): string[] {
  return Object.values(parts).flatMap((value: unknown) => {
    if (typeof value !== 'object' || value === null) return []
    if ('sha256' in value && typeof value.sha256 === 'string') return [value.sha256]
    return filesOf(value)
  })
}

function toEvent({ id }: JobRecord, event: NewEvent, number: number, now: number): JobEvent {
  return {
    id: `ftevent-${shortId(id)}-${number}`,
    object: 'fine_tuning.job.event',
    created_at: Math.floor(now / 1000),
    ...event,
  }
}

function missing(what: string): ApiError {
  return new ApiError('unprocessable', `${what} is not in the object store.`)
}
