/**
 * A world for training jobs: a clock, a disk, an object store, a network that loses things, and runners that die, all of it
 * simulated and in an order that a seed decides. What the jobs' objects do in it is what they do at the edge.
 */
import { ApiError } from '#protocol/error.ts'
import type { AnyPublished } from '#protocol/published-model.ts'
import type { Job, JobEvent } from '#protocol/training.ts'
import { JobRun, type JobStore, type JobSurroundings, type KeptJob } from '../jobs/job-run.ts'
import { type JobRecord, type JobState, modelIdOf } from '../jobs/job-state.ts'

/** The process is gone in the middle of something. */
export class Killed extends Error {
  override readonly name = 'Killed'
}
/** The network lost a request, or its answer. */
export class Lost extends Error {
  override readonly name = 'Lost'
}

export const STEPS = 40
/** From here on the poisoned job kills whoever trains it. */
export const POISONED_AT = 12

interface Disk {
  kept: KeptJob | null
  readonly events: JobEvent[]
  readonly states: JobState[]
  wakeAt: number | null
}

/** One job's object: a disk that stays, and a process that does not. */
export class SimulatedObject {
  readonly disk: Disk = { kept: null, events: [], states: [], wakeAt: null }
  readonly #world: World
  #life: { dead: boolean }
  run: JobRun

  constructor(world: World) {
    this.#world = world
    this.#life = { dead: false }
    this.run = this.#start()
  }

  /** Ends the process; another one begins from the disk. */
  kill(): void {
    this.#life.dead = true
    this.#life = { dead: false }
    this.run = this.#start()
  }

  get state(): JobState {
    const { kept } = this.disk
    if (!kept) throw new TypeError('it has not begun')
    return kept.state
  }

  #start(): JobRun {
    const life = this.#life
    const { disk } = this
    const world = this.#world
    const alive = () => {
      if (life.dead) throw new Killed('its process is gone')
    }
    /** Takes its time; its process, or what it asks, may be gone by then. */
    const outside = async <T>(act: () => T): Promise<T> => {
      await world.turn()
      alive()
      if (world.chance(world.faults.outside)) throw new Lost('it is away')
      const answer = act()
      await world.turn()
      alive()
      return answer
    }
    const store: JobStore = {
      load: () => disk.kept,
      save({ record, state }, events, first, _now) {
        alive()
        if (first !== disk.events.length) throw new Error(`event ${first} follows ${disk.events.length}`)
        disk.events.push(...events)
        disk.states.push(state)
        disk.kept = { record, state, events: disk.events.length }
      },
      async sync() {
        await world.turn()
        alive()
      },
      async wakeAt(time) {
        alive()
        disk.wakeAt = time
      },
    }
    const surroundings: JobSurroundings = {
      check: () => outside(() => null),
      holds: (keys) => outside(() => keys.every((key) => world.objects.has(key))),
      publish: (record, state) => outside(() => world.publish(record, state)),
      list: (_record, job, version) => outside(() => world.list(job, version)),
      clear: (record, state) => outside(() => world.clear(record, state)),
      now: () => world.now,
      log: () => {},
    }
    return new JobRun(store, surroundings)
  }
}

export class World {
  now = 1_000_000
  /** How likely each is, at each of its occasions. */
  faults = { network: 0.05, outside: 0.05, runner: 0.03, edge: 0.03, owner: 0.15 }
  /** When each lay there. */
  readonly objects = new Map<string, number>()
  readonly manifests = new Map<string, AnyPublished>()
  readonly listed = new Map<string, { job: Job; version: number }>()
  readonly random: () => number
  readonly #waiting: (() => void)[] = []

  constructor(random: () => number) {
    this.random = random
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** Until it is this one's turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets one of those who wait go on, and all that it does without waiting. */
  async step(): Promise<void> {
    const [next] = this.#waiting.splice(Math.floor(this.random() * this.#waiting.length), 1)
    next?.()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** A request to an object: it, or its answer, may be lost. */
  async call<T>(object: SimulatedObject, ask: (run: JobRun) => Promise<T>): Promise<T> {
    await this.turn()
    if (this.chance(this.faults.network)) throw new Lost('the request')
    const answer = await ask(object.run)
    if (this.chance(this.faults.network)) throw new Lost('the answer')
    return answer
  }

  publish(record: JobRecord, { publishing }: JobState): string[] {
    const id = modelIdOf(record)
    if (!publishing || publishing.id !== id) throw new Error('another model is published')
    // If-None-Match: *
    if (!this.manifests.has(id)) this.manifests.set(id, publishing)
    return ['file-metrics']
  }

  list(job: Job, version: number): void {
    if ((this.listed.get(job.id)?.version ?? 0) < version) this.listed.set(job.id, { job, version })
  }

  clear({ id }: JobRecord, state: JobState): void {
    const prefix = `checkpoints/${id}/`
    const current = `${prefix}${state.checkpoint?.sha256}`
    const ended = ['succeeded', 'failed', 'cancelled'].includes(state.status)
    const since = this.objects.get(current) ?? 0
    for (const [key, at] of this.objects) {
      if (key.startsWith(prefix) && (ended || (key !== current && at < since))) this.objects.delete(key)
    }
  }

  /** A runner, from one start to the next; whoever watches it sees what it was granted and what was taken from it. */
  async runner(name: string, objects: readonly SimulatedObject[], watch: RunnerWatch): Promise<void> {
    for (let life = 0; ; life++) {
      await this.turn()
      const object = objects[Math.floor(this.random() * objects.length)]
      if (object) await this.#train(`${name}-${life}`, object, watch).catch(forgive)
    }
  }

  async #train(name: string, object: SimulatedObject, watch: RunnerWatch): Promise<void> {
    const token = await this.call(object, (run) => (run.kept ? run.lease(name) : Promise.resolve(null)))
    if (token === null) return
    const { kept } = object.disk
    if (!kept) throw new TypeError('a job that has not begun was leased')
    const { record } = kept
    watch.leased(record.id, token)
    let step = kept.state.checkpoint?.step ?? 0
    let from = 0
    for (;;) {
      await this.turn()
      if (this.chance(this.faults.runner)) return
      step = Math.min(STEPS, step + 1)
      if (record.suffix === 'poisoned' && step >= POISONED_AT) return
      const progress = { type: 'progress', step, total_steps: STEPS, epoch: 1, train: { loss: 1 } } as const
      const events = [{ ...progress, samples_per_second: 1, seconds_left: STEPS - step }]
      // Nobody whose lease is over is let into the object store.
      const held = object.state.lease?.token === token
      const checkpoint = held && this.chance(0.3) ? this.#checkpoint(record.id, step) : undefined
      const told = { token, from, events, ...(checkpoint && { checkpoint }) }
      if (step === STEPS && this.chance(0.5)) {
        const outcome = { type: 'succeeded', manifest: this.#model(record, token) } as const
        await this.#untilHeard(object, (run) => run.end({ ...told, outcome }))
        return watch.heard(record.id, token)
      }
      const wish = await this.#untilHeard(object, (run) => run.report(told))
      watch.heard(record.id, token)
      from += events.length
      if (wish === 'go') continue
      // It may have been done when it was told to stop.
      const manifest = this.chance(0.3) ? this.#model(record, token) : undefined
      const outcome = manifest ? ({ type: 'succeeded', manifest } as const) : ({ type: 'stopped' } as const)
      await this.#untilHeard(object, (run) => run.end({ token, from, events: [], outcome }))
      return watch.heard(record.id, token)
    }
  }

  /** The same again, until there is an answer. */
  async #untilHeard<T>(object: SimulatedObject, ask: (run: JobRun) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.call(object, ask)
      } catch (error) {
        if (error instanceof ApiError) throw error
        await this.turn()
        if (this.chance(this.faults.runner)) throw error
      }
    }
  }

  #checkpoint(job: string, step: number) {
    const sha256 = `${step}-${this.now}`
    this.objects.set(`checkpoints/${job}/${sha256}`, this.now)
    return { sha256, bytes: 1, step, metrics: {} }
  }

  #model(record: JobRecord, token: number): AnyPublished {
    const id = modelIdOf(record)
    const sha256 = `${id}-${token}`
    this.objects.set(`models/${sha256}`, this.now)
    const file = { sha256, bytes: 1 }
    return {
      id,
      created: 0,
      owner: record.owner,
      parts: { family: 'denoiser', input: { kind: 'images', channels: 1, height: 8, width: 8 }, denoiser: file },
      card: { description: 'x', data: 'x', licence: 'x', metrics: {}, recipe: { token } },
    }
  }
}

export interface RunnerWatch {
  leased(job: string, token: number): void
  /** Something told under this token was taken. */
  heard(job: string, token: number): void
}

/** What a runner lives with; anything else is a mistake. */
export function forgive(error: unknown): void {
  if (error instanceof Killed || error instanceof Lost) return
  if (error instanceof ApiError && error.code === 'lease_lost') return
  throw error
}
