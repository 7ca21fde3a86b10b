/**
 * The models of a runner: loaded when they are asked for, within a budget of memory; the least recently used makes room.
 * A request for one that is not loaded yet is refused with the time after which to try again.
 */
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { ApiError } from '#protocol/error.ts'

/** A model, loaded. */
export interface Loaded {
  readonly engine: {
    /** That wait or run. */
    readonly requests: number
    readonly died: Promise<never>
    unload(): Promise<void>
  }
}

export interface ModelPoolOptions<Model extends Loaded> {
  /** Those that may be asked for now; it may change while the runner runs. */
  readonly installed: () => readonly CatalogueEntry[]
  readonly load: (entry: CatalogueEntry) => Promise<Model>
  /** Bytes that a model is reckoned to take. */
  readonly bytesOf: (entry: CatalogueEntry) => number
  readonly mostBytes: number
  /** Told of each model that was loaded or could not be, or was unloaded. */
  readonly log: (event: Readonly<Record<string, unknown>>) => void
  readonly now: () => number
}

interface Place<Model> {
  readonly entry: CatalogueEntry
  readonly model: Model
  lastUsed: number
}

/** Seconds until a model that is loading has likely been loaded, by bytes a second and at least. */
const BYTES_PER_SECOND = 100e6
const LEAST_SECONDS = 2
const BUSY_SECONDS = 10

export class ModelPool<Model extends Loaded> {
  readonly #options: ModelPoolOptions<Model>
  readonly #places = new Map<string, Place<Model>>()
  readonly #loading = new Map<string, Promise<Model>>()
  /** Why the last attempt to load a model failed; told once, then it is tried again. */
  readonly #failed = new Map<string, string>()
  readonly #died = Promise.withResolvers<never>()
  /** One model is loaded or unloaded at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: ModelPoolOptions<Model>) {
    this.#options = options
    this.#died.promise.catch(() => {})
  }

  /** Rejects when a model's engine dies. */
  get died(): Promise<never> {
    return this.#died.promise
  }

  /** The models that are loaded, by id. */
  *all(): Iterable<readonly [string, Model]> {
    for (const [id, { model }] of this.#places) yield [id, model]
  }

  loaded(id: string): Model | undefined {
    return this.#places.get(id)?.model
  }

  /**
   * The model of that name, if it is loaded; if not, it begins to be.
   * @throws ApiError `model_not_found`; `runner_failed` if it could not be loaded; `model_loading` with the seconds after which to try again
   */
  find(id: string): Model {
    const place = this.#places.get(id)
    if (place) {
      place.lastUsed = this.#options.now()
      return place.model
    }
    const entry = this.#options.installed().find((candidate) => candidate.id === id)
    if (!entry) {
      throw new ApiError('model_not_found', `The model \`${id.slice(0, 100)}\` does not exist.`, { param: 'model' })
    }
    const failure = this.#failed.get(id)
    if (failure !== undefined && this.#failed.delete(id)) {
      throw new ApiError('runner_failed', `The model \`${id}\` could not be loaded: ${failure}`)
    }
    const bytes = this.#options.bytesOf(entry)
    if (bytes > this.#options.mostBytes) {
      const [needs, most] = [bytes, this.#options.mostBytes].map((count) => `${Math.ceil(count / 1e9)} GB`)
      throw new ApiError('not_implemented', `The model \`${id}\` needs ${needs} of memory; ${most} may be used.`, {
        param: 'model',
      })
    }
    if (!this.#loading.has(id) && !this.#room(bytes)) {
      throw new ApiError('model_loading', `The model \`${id}\` waits for memory that other models use.`, {
        retryAfter: BUSY_SECONDS,
      })
    }
    this.load(entry).catch(() => {})
    throw new ApiError('model_loading', `The model \`${id}\` is loading.`, {
      retryAfter: Math.max(LEAST_SECONDS, Math.ceil(entry.file.size / BYTES_PER_SECOND)),
    })
  }

  /** Loads a model, unless it is loaded or loading already. Rejects if it cannot be. */
  load(entry: CatalogueEntry): Promise<Model> {
    const place = this.#places.get(entry.id)
    if (place) return Promise.resolve(place.model)
    const loading = this.#loading.get(entry.id) ?? this.#queue(() => this.#load(entry))
    if (!this.#loading.has(entry.id)) {
      this.#loading.set(entry.id, loading)
      const done = () => this.#loading.delete(entry.id)
      loading.then(done, done)
    }
    return loading
  }

  /** Places that would have to be left for so many bytes, the least recently used first; undefined if too few are idle. */
  #room(bytes: number): Place<Model>[] | undefined {
    const { bytesOf, mostBytes } = this.#options
    const leave: Place<Model>[] = []
    let free = mostBytes - [...this.#places.values()].reduce((sum, { entry }) => sum + bytesOf(entry), 0)
    for (const place of [...this.#places.values()].sort((a, b) => a.lastUsed - b.lastUsed)) {
      if (free >= bytes) break
      if (place.model.engine.requests > 0) continue
      leave.push(place)
      free += bytesOf(place.entry)
    }
    return free >= bytes ? leave : undefined
  }

  async #load(entry: CatalogueEntry): Promise<Model> {
    const { load, bytesOf, log, now } = this.#options
    const started = performance.now()
    try {
      const leave = this.#room(bytesOf(entry))
      if (!leave) throw new Error('other models use the memory')
      for (const { entry: other, model } of leave) {
        this.#places.delete(other.id)
        await model.engine.unload()
        log({ event: 'model-unloaded', model: other.id })
      }
      const model = await load(entry)
      this.#places.set(entry.id, { entry, model, lastUsed: now() })
      model.engine.died.catch((reason: unknown) => this.#died.reject(reason))
      log({ event: 'model-loaded', model: entry.id, ms: Math.round(performance.now() - started) })
      return model
    } catch (error) {
      this.#failed.set(entry.id, error instanceof Error ? error.message : String(error))
      log({ level: 'error', event: 'model-not-loaded', model: entry.id, error: String(error) })
      throw error
    }
  }

  #queue<T>(what: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(what)
    this.#turn = turn.catch(() => {})
    return turn
  }
}
