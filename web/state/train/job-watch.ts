/** Watches a job while it goes on: how it stands, and what it tells. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import { RequestFailure } from '../../transport/failure.ts'
import type { Job, TrainingApi } from '../../transport/training.ts'
import { type JobRecord, NOTHING_TOLD, withEvents } from './job-record.ts'

const MS_BETWEEN_LOOKS = 1_000
const ENDS: readonly Job['status'][] = ['succeeded', 'failed', 'cancelled']

export function hasEnded({ status }: Job): boolean {
  return ENDS.includes(status)
}

export class JobWatch {
  readonly id: string
  readonly job = signal<Job | null>(null)
  readonly record = signal<JobRecord>(NOTHING_TOLD)
  readonly failure = signal<Error | null>(null)
  readonly missing: ReadonlySignal<boolean> = computed(
    () => this.failure.value instanceof RequestFailure && this.failure.value.status === 404,
  )
  readonly #api: TrainingApi
  #timer: ReturnType<typeof setTimeout> | undefined
  /** One for each `start`. */
  #watching: symbol | null = null

  constructor(api: TrainingApi, id: string) {
    this.#api = api
    this.id = id
  }

  /** Looks now, and again until the job has ended or `stop` is called. */
  start(): void {
    if (this.#watching) return
    this.#watching = Symbol()
    void this.#look(this.#watching)
  }

  stop(): void {
    this.#watching = null
    clearTimeout(this.#timer)
  }

  async change(to: 'pause' | 'resume' | 'cancel'): Promise<void> {
    try {
      this.job.value = await this.#api.change(this.id, to)
      this.failure.value = null
    } catch (error) {
      this.failure.value = asError(error)
    }
  }

  async #look(watching: symbol): Promise<void> {
    let again = true
    try {
      const job = await this.#api.read(this.id)
      // What was told before the job was as it is: after its end there is nothing more.
      await this.#readEvents()
      batch(() => {
        this.job.value = job
        this.failure.value = null
      })
      again = !hasEnded(job)
    } catch (error) {
      this.failure.value = asError(error)
      again = !this.missing.value
    }
    if (this.#watching !== watching) return
    if (again) this.#timer = setTimeout(() => void this.#look(watching), MS_BETWEEN_LOOKS)
    else this.#watching = null
  }

  async #readEvents(): Promise<void> {
    for (let more = true; more; ) {
      const read = await this.#api.events(this.id, this.record.value.lastEvent)
      more = read.more && read.events.length > 0
      if (read.events.length > 0) this.record.value = withEvents(this.record.value, read.events)
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
