/** The loop of training: steps, progress, validation, checkpoints, and when it ends. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Runtime } from '../runtime/runtime.ts'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import { Random } from './random.ts'
import type { Metrics, Samples, Task } from './task.ts'
import { TrainingSession } from './training-session.ts'

export interface TrainingProgress {
  /** Steps done, of all. */
  readonly step: number
  readonly steps: number
  readonly epoch: number
  /** Means since the last report. */
  readonly losses: Metrics
  readonly stepsPerSecond: number
  readonly secondsLeft: number
}

export type TrainingEvent =
  | ({ readonly type: 'progress' } & TrainingProgress)
  | { readonly type: 'validation'; readonly step: number; readonly epoch: number; readonly metrics: Metrics }
  | { readonly type: 'samples'; readonly step: number; readonly samples: Samples }
  | { readonly type: 'checkpoint'; readonly step: number; readonly file: string }

export interface TrainingOptions {
  readonly seed: number
  /** What the recipe is called by, so that a checkpoint of another is not taken for one of it. */
  readonly recipe: string
  /** Where the checkpoint is kept, and looked for; without it nothing is kept. */
  readonly checkpoint?: string | undefined
  /** Validations without a better one after which it is enough. */
  readonly patience?: number | undefined
  readonly onEvent?: (event: TrainingEvent) => void
  /** Ends the training at the next step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined
  readonly now?: () => number
}

export type TrainingEnd = 'done' | 'early' | 'stopped'

/** Training that went where nothing is learned any more. The last checkpoint is of before. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError'
  readonly step: number

  constructor(step: number, reason: string) {
    super(`Training ended at step ${step}: ${reason}`)
    this.step = step
  }
}

const REPORT_MS = 1_000
const CHECKPOINT_MS = 30_000
/** Validations and sample sheets of a whole training, at most; a validation is after a whole number of epochs. */
const MOST_VALIDATIONS = 50
const MOST_SHEETS = 12
/** What the names of the best validation's tensors begin with in a checkpoint. */
const BEST = 'best/'

/**
 * Trains from the checkpoint, if there is one, or else from new weights, to the end; the session then has the weights of
 * the last step, or of the best validation where `patience` is given.
 * @throws DivergenceError when a loss is no number, or the task says that it collapsed
 */
export async function train(
  ort: Runtime,
  task: Task,
  options: TrainingOptions,
): Promise<{ session: TrainingSession; end: TrainingEnd }> {
  const session = new TrainingSession(ort, task.plan)
  try {
    const end = await new Run(session, task, options).run()
    return { session, end }
  } catch (error) {
    session[Symbol.dispose]()
    throw error
  }
}

class Run {
  readonly #session: TrainingSession
  readonly #task: Task
  readonly #options: TrainingOptions
  readonly #now: () => number
  #step = 0
  #best = Number.POSITIVE_INFINITY
  #bestStep = 0
  #bestState = new Map<string, Float32Array>()
  #sums: Record<string, number> = {}
  #reportedAt: number
  #reportedStep = 0
  #savedAt: number

  constructor(session: TrainingSession, task: Task, options: TrainingOptions) {
    this.#session = session
    this.#task = task
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#reportedAt = this.#now()
    this.#savedAt = this.#now()
  }

  async run(): Promise<TrainingEnd> {
    const { seed, patience, signal } = this.#options
    const { steps, stepsPerEpoch } = this.#task
    const between = stepsPerEpoch * Math.max(1, Math.ceil(steps / stepsPerEpoch / MOST_VALIDATIONS))
    const betweenSheets = between * Math.max(1, Math.ceil(steps / between / MOST_SHEETS))
    this.#session.initialize(new Random(seed, 1))
    this.#task.begin?.(this.#session)
    await this.#resume()
    // What it goes on from counts: nothing that is worse is taken for it.
    if (this.#task.begin && this.#step === 0) this.#validate()
    while (this.#step < steps) {
      if (signal?.aborted) {
        await this.#save()
        return 'stopped'
      }
      this.#advance()
      if (this.#step % between === 0 || this.#step === steps) this.#validate()
      if (this.#step % betweenSheets === 0 || this.#step === steps) this.#show()
      const patient = patience === undefined || this.#step - this.#bestStep <= patience * between
      if (!patient) break
      await this.#rest()
    }
    this.#report()
    const early = this.#step < steps
    if (patience !== undefined) this.#restoreBest()
    return early ? 'early' : 'done'
  }

  #advance(): void {
    const step = ++this.#step
    this.#task.feed(this.#session.inputs, step)
    const losses = this.#session.run(step, this.#task.rate(step))
    for (const [name, loss] of Object.entries(losses)) {
      if (!Number.isFinite(loss)) throw new DivergenceError(step, `${name} is ${loss}.`)
      this.#sums[name] = (this.#sums[name] ?? 0) + loss
    }
  }

  #validate(): void {
    const { stepsPerEpoch } = this.#task
    const reason = this.#task.collapse?.(this.#session, this.#step)
    if (reason !== undefined) throw new DivergenceError(this.#step, reason)
    const metrics = this.#task.validate(this.#session)
    const [first] = Object.values(metrics)
    if (first !== undefined && !Number.isFinite(first))
      throw new DivergenceError(this.#step, 'validation is no number.')
    if (first !== undefined && first < this.#best) {
      this.#best = first
      this.#bestStep = this.#step
      if (this.#options.patience !== undefined) this.#keepBest()
    }
    this.#tell({ type: 'validation', step: this.#step, epoch: Math.ceil(this.#step / stepsPerEpoch), metrics })
  }

  #show(): void {
    const samples = this.#task.samples?.(this.#session)
    if (samples) this.#tell({ type: 'samples', step: this.#step, samples })
  }

  /** Between steps: others' turn, what is due each second, and each half minute. */
  async #rest(): Promise<void> {
    await turn()
    const now = this.#now()
    if (now - this.#reportedAt >= REPORT_MS) this.#report()
    if (now - this.#savedAt >= CHECKPOINT_MS) await this.#save()
  }

  #report(): void {
    const done = this.#step - this.#reportedStep
    if (done === 0) return
    const now = this.#now()
    const { steps, stepsPerEpoch } = this.#task
    const stepsPerSecond = (1000 * done) / Math.max(1, now - this.#reportedAt)
    this.#tell({
      type: 'progress',
      step: this.#step,
      steps,
      epoch: Math.ceil(this.#step / stepsPerEpoch),
      losses: Object.fromEntries(Object.entries(this.#sums).map(([name, sum]) => [name, sum / done])),
      stepsPerSecond,
      secondsLeft: (steps - this.#step) / stepsPerSecond,
    })
    this.#sums = {}
    this.#reportedAt = now
    this.#reportedStep = this.#step
  }

  async #save(): Promise<void> {
    const { checkpoint, recipe } = this.#options
    if (checkpoint === undefined) return
    const memory = { best: Number.isFinite(this.#best) ? this.#best : null, bestStep: this.#bestStep }
    const tensors = new Map([
      ...this.#session.stateNames.map((name) => [name, this.#session.state(name)] as const),
      ...[...this.#bestState].map(([name, data]) => [BEST + name, data] as const),
    ])
    for (const [name, data] of tensors) {
      if (!data.every(Number.isFinite))
        throw new DivergenceError(this.#step, `${name} has elements that are no numbers.`)
    }
    await saveCheckpoint(checkpoint, { recipe, step: this.#step, memory, tensors })
    this.#savedAt = this.#now()
    this.#tell({ type: 'checkpoint', step: this.#step, file: checkpoint })
  }

  async #resume(): Promise<void> {
    const { checkpoint, recipe } = this.#options
    if (checkpoint === undefined) return
    const found = await loadCheckpoint(checkpoint, recipe)
    if (!found) return
    for (const [name, data] of found.tensors) {
      if (name.startsWith(BEST)) this.#bestState.set(name.slice(BEST.length), data)
      else this.#session.state(name).set(data)
    }
    this.#step = found.step
    this.#reportedStep = found.step
    this.#best = found.memory.best ?? Number.POSITIVE_INFINITY
    this.#bestStep = found.memory.bestStep ?? 0
  }

  #keepBest(): void {
    for (const name of this.#session.stateNames) this.#bestState.set(name, this.#session.state(name).slice())
  }

  #restoreBest(): void {
    for (const [name, data] of this.#bestState) this.#session.state(name).set(data)
  }

  #tell(event: TrainingEvent): void {
    this.#options.onEvent?.(event)
  }
}
