/** Takes training jobs from the edge, one at a time, until the runner stops. */
import { setTimeout as delay } from 'node:timers/promises'
import type { LeasedJob } from '#protocol/training-lease.ts'
import type { PublishedFiles } from '../store/published-files.ts'
import type { EdgeJobs } from './edge-jobs.ts'
import { JobAttempt } from './job-attempt.ts'
import { attemptFolder, sweepAttempts } from './leftovers.ts'

const POLL_MS = 1_000
/** After something that went wrong here. */
const RECOVERY_MS = 5_000

export interface JobLoopOptions {
  readonly edge: EdgeJobs
  /** Where the files of models are had that are tuned. */
  readonly published: PublishedFiles
  /** Where what is being trained lies; other runners may have it, too. */
  readonly folder: string
  readonly threads: number
  readonly log: (event: Readonly<Record<string, unknown>>) => void
}

export class JobLoop {
  readonly #options: JobLoopOptions
  readonly #stopping = new AbortController()
  readonly #over: Promise<void>

  constructor(options: JobLoopOptions) {
    this.#options = options
    this.#over = this.#run()
  }

  /** Takes no more; what is being trained is given back with a checkpoint. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#options.edge.hurry()
    await this.#over
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const rest = (ms: number) => delay(ms, undefined, { signal }).catch(() => {})
    while (!signal.aborted) {
      try {
        const job = await this.#options.edge.lease()
        if (job) await this.#attempt(job)
        else await rest(POLL_MS)
      } catch (error) {
        this.#options.log({ level: 'error', event: 'job-loop-failed', error: String(error) })
        await rest(RECOVERY_MS)
      }
    }
  }

  async #attempt(job: LeasedJob): Promise<void> {
    const { edge, published, threads, log } = this.#options
    await sweepAttempts(this.#options.folder)
    const folder = attemptFolder(this.#options.folder, `${job.id}-${job.token}`)
    log({ level: 'info', event: 'job-taken', job: job.id, step: job.checkpoint?.step ?? 0 })
    const outcome = await new JobAttempt(job, { edge, published, folder, threads, signal: this.#stopping.signal }).run()
    const reason = outcome?.type === 'failed' ? { error: outcome.error.message } : {}
    log({ level: 'info', event: 'job-left', job: job.id, outcome: outcome?.type ?? 'lost', ...reason })
  }
}
