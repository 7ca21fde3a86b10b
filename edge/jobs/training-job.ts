/** The Durable Object that owns one training job. It answers by calls; what it gives is JSON. */
import { DurableObject } from 'cloudflare:workers'
import { ApiError } from '#protocol/error.ts'
import type { CheckpointQuery, EventQuery } from '#protocol/training.ts'
import type { EndReport, Report } from '#protocol/training-lease.ts'
import type { Bindings } from '../env.ts'
import { logFailure } from '../http/log.ts'
import { heldBy } from './job-machine.ts'
import type { Answer, JobObject, Leased } from './job-object.ts'
import { JobRun, type KeptJob } from './job-run.ts'
import { type JobRecord, modelIdOf } from './job-state.ts'
import { SqlJobStore } from './sql-job-store.ts'
import { surroundingsOf } from './surroundings.ts'
import { toJob } from './to-job.ts'

export class TrainingJob extends DurableObject<Bindings> implements JobObject {
  readonly #store: SqlJobStore
  readonly #run: JobRun

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    this.#store = new SqlJobStore(ctx.storage)
    const log = (error: unknown) =>
      logFailure({ requestId: this.#run.kept?.record.id ?? '', method: 'ALARM', route: '/v1/fine_tuning/jobs' }, error)
    this.#run = new JobRun(this.#store, surroundingsOf({ env, metrics: () => this.#store.metrics(), log }))
  }

  async begin(record: string): Promise<void> {
    await this.#run.begin(JSON.parse(record) as JobRecord)
  }

  async job(): Promise<string | null> {
    const { kept } = this.#run
    return kept && JSON.stringify(toJob(kept.record, kept.state))
  }

  control(what: 'pause' | 'resume' | 'cancel'): Promise<Answer | null> {
    return this.#answer(async () => {
      await this.#run.control(what)
      const { kept } = this.#run
      return kept && toJob(kept.record, kept.state)
    })
  }

  events(query: EventQuery): Promise<Answer | null> {
    return this.#answer((kept) => this.#store.events(kept, query))
  }

  checkpoints(query: CheckpointQuery): Promise<Answer | null> {
    return this.#answer((kept) => this.#store.checkpoints(kept, query))
  }

  async lease(runner: string): Promise<string | null> {
    const token = this.#run.kept && (await this.#run.lease(runner))
    const { kept } = this.#run
    if (!kept || token === null) return null
    const { record, state } = kept
    const { id, model, base = null, method, seed, owner } = record
    const { checkpoint } = state
    const leased: Leased = {
      id,
      token,
      model,
      method,
      seed,
      owner,
      base,
      model_id: modelIdOf(record),
      training_file: record.trainingFile,
      validation_file: record.validationFile,
      checkpoint: checkpoint && { sha256: checkpoint.sha256, bytes: checkpoint.bytes, step: checkpoint.step },
    }
    return JSON.stringify(leased)
  }

  hold(token: number): Promise<Answer | null> {
    return this.#answer(({ record, state }) => {
      heldBy(state, token)
      return { owner: record.owner, model: modelIdOf(record) }
    })
  }

  report(told: string): Promise<Answer | null> {
    return this.#answer(async () => ({ wish: await this.#run.report(JSON.parse(told) as Report) }))
  }

  end(told: string): Promise<Answer | null> {
    return this.#answer(async () => {
      await this.#run.end(JSON.parse(told) as EndReport)
      return {}
    })
  }

  override async alarm(): Promise<void> {
    await this.#run.wake()
  }

  async #answer(ask: (kept: KeptJob) => unknown): Promise<Answer | null> {
    const { kept } = this.#run
    if (!kept) return null
    try {
      return { json: JSON.stringify(await ask(kept)) }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return { refusal: { error: error.detail, retryAfter: error.retryAfter ?? null } }
    }
  }
}
