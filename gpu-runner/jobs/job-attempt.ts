/**
 * One attempt at one job: its files are fetched, a process trains, and what that says goes to the edge. Everything of it
 * lies in a folder that is removed at the end.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '#protocol/error.ts'
import {
  type EndReport,
  type LeasedJob,
  MOST_EVENTS,
  type NewCheckpoint,
  REPORT_MS,
  type RunnerEvent,
} from '#protocol/training-lease.ts'
import type { PublishedFiles } from '../store/published-files.ts'
import { type EdgeJobs, EdgeRefusal, LeaseLost } from './edge-jobs.ts'
import { type Failure, processFailure, runnerFailure } from './failure.ts'
import type { Assignment, FromTraining, ToTraining } from './messages.ts'

/** What is told to stop and does not is made to. */
const STOP_MS = 20_000
/** Without a word from the edge for so long, the job is another's. */
const SILENCE_MS = 60_000
const PROCESS = path.join(import.meta.dirname, 'training-process.ts')

export interface AttemptOptions {
  readonly edge: EdgeJobs
  /** Where the files of models are had that are tuned. */
  readonly published: PublishedFiles
  /** Empty, and its own. */
  readonly folder: string
  readonly threads: number
  /** The runner stops. */
  readonly signal: AbortSignal
}

export class JobAttempt {
  readonly #job: LeasedJob
  readonly #options: AttemptOptions
  readonly #events: RunnerEvent[] = []
  /** Events that the edge has heard. */
  #heard = 0
  #metrics: Record<string, number> = {}
  #checkpoint: NewCheckpoint | undefined
  /** Uploads, one after the other. */
  #uploads = Promise.resolve()
  #waiting: { readonly step: number; readonly file: string } | undefined
  #uploadError: unknown

  constructor(job: LeasedJob, options: AttemptOptions) {
    this.#job = job
    this.#options = options
  }

  /** @returns what came of it; undefined if the job is another's by now */
  async run(): Promise<EndReport['outcome'] | undefined> {
    const { folder } = this.#options
    try {
      await mkdir(folder, { recursive: true })
      const outcome = await this.#outcome()
      await this.#end(outcome)
      return outcome
    } catch (error) {
      if (error instanceof LeaseLost) return undefined
      throw error
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** What the edge does not take is a failure, and would be one again. */
  async #end(outcome: EndReport['outcome']): Promise<void> {
    const { edge } = this.#options
    try {
      await edge.end(this.#job, { ...this.#told(), outcome })
    } catch (error) {
      if (!(error instanceof EdgeRefusal)) throw error
      const message = `What was trained was refused: ${error.message}`
      const reason = { code: 'runner_failed', message, param: null }
      await edge.end(this.#job, {
        from: this.#heard,
        events: [],
        outcome: { type: 'failed', error: reason, again: false },
      })
    }
  }

  async #outcome(): Promise<EndReport['outcome']> {
    try {
      return await this.#reporting(async (stop) => {
        const assignment = await this.#fetch(stop)
        if (!assignment) return { type: 'stopped' }
        const outcome = await this.#train(assignment, stop)
        await this.#uploads
        if (this.#uploadError !== undefined) throw this.#uploadError
        return outcome.type === 'made' ? await this.#publish(outcome) : outcome
      })
    } catch (error) {
      if (error instanceof LeaseLost) throw error
      const { error: reason, again } = this.#failureOf(error)
      return { type: 'failed', error: reason, again }
    }
  }

  #failureOf(error: unknown): Failure {
    if (error instanceof EdgeRefusal && error.status === 404) {
      const message = 'A data file of the job has been deleted.'
      return { error: { code: 'invalid_training_file', message, param: 'training_file' }, again: false }
    }
    if (error instanceof ApiError && error.code === 'model_unavailable') {
      const message = `The model that is tuned cannot be read. ${error.message}`
      return { error: { code: 'runner_failed', message, param: null }, again: true }
    }
    console.error(JSON.stringify({ level: 'error', event: 'training-failed', job: this.#job.id, error: String(error) }))
    return runnerFailure(error)
  }

  /** Works, and tells the edge each second how it goes. `stop` is aborted when the edge or the runner wants it to end. */
  async #reporting<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController()
    const over = new AbortController()
    let lost: unknown
    const telling = this.#tellEachSecond(stop, over.signal).catch((error: unknown) => {
      lost = error
      stop.abort(error)
    })
    const done = await work(AbortSignal.any([stop.signal, this.#options.signal])).finally(() => over.abort())
    await telling
    if (lost !== undefined) throw lost
    return done
  }

  async #tellEachSecond(stop: AbortController, over: AbortSignal): Promise<void> {
    let heardAt = performance.now()
    while (!over.aborted) {
      const wish = await this.#tell()
      if (wish !== undefined) heardAt = performance.now()
      if (wish === 'stop') stop.abort()
      if (performance.now() - heardAt > SILENCE_MS) throw new LeaseLost('the edge is silent')
      await delay(REPORT_MS, undefined, { signal: over }).catch(() => {})
    }
    // The last ones are told with the end.
    while (this.#events.length > MOST_EVENTS && (await this.#tell()) !== undefined);
  }

  async #tell(): Promise<'go' | 'stop' | undefined> {
    const told = this.#told()
    const wish = await this.#options.edge.report(this.#job, told)
    if (wish === undefined) return undefined
    this.#heard += told.events.length
    this.#events.splice(0, told.events.length)
    if (told.checkpoint === this.#checkpoint) this.#checkpoint = undefined
    return wish
  }

  #told() {
    const events = this.#events.slice(0, MOST_EVENTS)
    return { from: this.#heard, events, ...(this.#checkpoint && { checkpoint: this.#checkpoint }) }
  }

  /** @returns undefined if it is to stop already */
  async #fetch(stop: AbortSignal): Promise<Assignment | undefined> {
    const { edge, folder, threads } = this.#options
    const job = this.#job
    const training = path.join(folder, 'training')
    await edge.download(job, job.training_file.id, training)
    const validation = job.validation_file && path.join(folder, 'validation')
    if (job.validation_file && validation) await edge.download(job, job.validation_file.id, validation)
    const checkpoint = path.join(folder, 'checkpoint')
    if (job.checkpoint && !(await edge.downloadCheckpoint(job, job.checkpoint.sha256, checkpoint))) {
      await rm(checkpoint, { force: true })
      this.#warn('The checkpoint cannot be read; the training begins anew.')
    }
    const base = job.base && (await this.#fetchBase(job.base))
    return stop.aborted ? undefined : { job, folder, training, validation, checkpoint, base, threads }
  }

  /** What is tuned. @throws ApiError `model_unavailable` */
  async #fetchBase({ parts }: NonNullable<LeasedJob['base']>): Promise<NonNullable<Assignment['base']>> {
    const { published, folder } = this.#options
    const fetched = async (part: 'vocabulary' | 'encoder' | 'decoder') => {
      const file = path.join(folder, `base-${part}`)
      await writeFile(file, await published.read(parts[part]))
      return file
    }
    return {
      vocabulary: await fetched('vocabulary'),
      encoder: await fetched('encoder'),
      decoder: await fetched('decoder'),
    }
  }

  async #train(
    assignment: Assignment,
    stop: AbortSignal,
  ): Promise<Extract<FromTraining, { type: 'made' | 'stopped' | 'failed' }>> {
    const { RUNNER_SECRET: _, ...env } = process.env
    const child = fork(PROCESS, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    const last = Promise.withResolvers<Extract<FromTraining, { type: 'made' | 'stopped' | 'failed' }>>()
    let prepared = false
    child.on('message', (message: FromTraining) => {
      if (message.type === 'prepared') prepared = true
      if (message.type === 'made' || message.type === 'stopped' || message.type === 'failed') last.resolve(message)
      else this.#hear(message)
    })
    // Before the data has been read there is nothing to keep, and nobody to keep it for once the job is another's.
    const halt = () => (prepared && !(stop.reason instanceof LeaseLost) ? this.#stop(child) : child.kill('SIGKILL'))
    stop.addEventListener('abort', halt)
    try {
      send(child, { type: 'begin', ...assignment })
      if (stop.aborted) halt()
      const gone = ended.then(([code, signal]) =>
        stop.aborted && !prepared
          ? ({ type: 'stopped' } as const)
          : ({ type: 'failed', ...processFailure(code, signal) } as const),
      )
      return await Promise.race([last.promise, gone])
    } finally {
      stop.removeEventListener('abort', halt)
      child.kill('SIGKILL')
      await ended
    }
  }

  #stop(child: ChildProcess): void {
    send(child, { type: 'stop' })
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.once('exit', () => clearTimeout(timer))
  }

  #hear(message: Exclude<FromTraining, { type: 'made' | 'stopped' | 'failed' }>): void {
    if (message.type === 'prepared') for (const warning of message.warnings) this.#warn(warning)
    else if (message.type === 'warning') this.#warn(message.message)
    else if (message.type === 'checkpoint') this.#upload(message)
    else if (message.type === 'samples') this.#uploadSamples(message)
    else {
      const told = message.type === 'progress' ? prefixed('train', message.train) : prefixed('valid', message.valid)
      this.#metrics = { ...this.#metrics, ...told }
      this.#events.push(message)
    }
  }

  #uploadSamples({ step, file }: { readonly step: number; readonly file: string }): void {
    this.#enqueue(async () => {
      const { id } = await this.#options.edge.put(this.#job, 'samples', file)
      await rm(file, { force: true })
      if (id !== undefined) this.#events.push({ type: 'samples', step, samples: id })
    })
  }

  /** The newest, if several wait. */
  #upload(checkpoint: { readonly step: number; readonly file: string }): void {
    const older = this.#waiting
    this.#waiting = checkpoint
    this.#enqueue(async () => {
      if (older) await rm(older.file, { force: true })
      if (this.#waiting !== checkpoint) return
      this.#waiting = undefined
      const metrics = this.#metrics
      const { sha256, bytes } = await this.#options.edge.put(this.#job, 'checkpoints', checkpoint.file)
      await rm(checkpoint.file, { force: true })
      this.#checkpoint = { sha256, bytes, step: checkpoint.step, metrics }
    })
  }

  #enqueue(upload: () => Promise<void>): void {
    this.#uploads = this.#uploads.then(upload).catch((error: unknown) => {
      this.#uploadError ??= error
    })
  }

  async #publish({ manifest, files }: Extract<FromTraining, { type: 'made' }>): Promise<EndReport['outcome']> {
    for (const file of files) await this.#options.edge.put(this.#job, 'models', file)
    return { type: 'succeeded', manifest }
  }

  #warn(message: string): void {
    this.#events.push({ type: 'message', level: 'warn', message: message.slice(0, 2_000) })
  }
}

/** One that is gone already hears nothing; its end is told by itself. */
function send(child: ChildProcess, message: ToTraining): void {
  child.send(message, () => {})
}

function prefixed(prefix: string, numbers: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${prefix}_${name}`, value]))
}
