/** The trainings: which there are, and the one that is looked at. */
import { signal } from '@preact/signals'
import type { Http } from '../../transport/http.ts'
import { type Job, TrainingApi } from '../../transport/training.ts'
import { JobWatch } from './job-watch.ts'

export class Train {
  readonly http: Http
  readonly api: TrainingApi
  /** Newest first; null until they are known. */
  readonly jobs = signal<readonly Job[] | null>(null)
  readonly failure = signal<Error | null>(null)
  readonly #watches = new Map<string, JobWatch>()

  constructor(http: Http) {
    this.http = http
    this.api = new TrainingApi(http)
  }

  async load(): Promise<void> {
    try {
      this.jobs.value = await this.api.list()
      this.failure.value = null
    } catch (error) {
      this.failure.value = error instanceof Error ? error : new Error(String(error))
    }
  }

  watch(id: string): JobWatch {
    const watch = this.#watches.get(id) ?? new JobWatch(this.api, id)
    this.#watches.set(id, watch)
    return watch
  }

  /** Shows a job in the list as it is now known to be. */
  know(job: Job): void {
    const jobs = this.jobs.value ?? []
    this.jobs.value = jobs.some(({ id }) => id === job.id)
      ? jobs.map((old) => (old.id === job.id ? job : old))
      : [job, ...jobs]
  }
}
