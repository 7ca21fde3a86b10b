/**
 * The models that this runner can be asked for, by what they do. Chat models are those that have been pulled; one that
 * makes embeddings is pulled when it is first asked for.
 */
import { catalogue } from '#models/catalogue/catalogue.ts'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { ApiError } from '#protocol/error.ts'
import type { RunnerModel } from '#protocol/generation.ts'
import { ChatModel } from './chat-model.ts'
import { describeModel } from './describe-model.ts'
import { EmbeddingModel } from './embedding-model.ts'
import { ModelPool } from './model-pool.ts'
import type { RunnerSettings } from './settings.ts'
import { installedModels } from './store/installed.ts'
import type { PullProgress } from './store/progress.ts'
import { ensureModel } from './store/store.ts'

/** A chat model's graph for prompts and that for tokens each hold its weights; an embedder's are copied while it is built. */
const WEIGHT_COPIES = 2
/** Models that share the memory for keys and values; more than that take turns. */
const MOST_SHARES = 3
const MS_BETWEEN_PROGRESS = 10_000

export interface RunnerModelsOptions extends Pick<RunnerSettings, 'models' | 'threads' | 'memory'> {
  /** What chat models run on; embeddings are made by the processor. */
  readonly device: string
  /** The folder of the CUDA provider, to run there. */
  readonly cuda: string | undefined
}

export class RunnerModels {
  readonly #options: RunnerModelsOptions
  readonly #pool: ModelPool<ChatModel | EmbeddingModel>

  constructor(options: RunnerModelsOptions) {
    this.#options = options
    const { memory, device } = options
    this.#pool = new ModelPool({
      installed: () => this.#known(),
      load: (entry) => this.#load(entry),
      bytesOf: ({ task, file }) =>
        WEIGHT_COPIES * file.size + (task === 'chat' ? memory.kvBytes / this.#shares() + memory.prefixCacheBytes : 0),
      mostBytes: memory.modelBytes,
      log: (event) => console.log(JSON.stringify({ level: 'info', device, ...event })),
      now: () => performance.now(),
    })
  }

  /** Rejects when a model's engine dies. */
  get died(): Promise<never> {
    return this.#pool.died
  }

  describe(): RunnerModel[] {
    return this.#known().map((entry) => {
      // Once it is loaded it is known how long a context there is memory for.
      const loaded = this.#pool.loaded(entry.id)
      return loaded?.info ?? describeModel(entry, entry.task === 'chat' ? this.#options.device : 'cpu')
    })
  }

  /** Ids of those that are loaded. */
  loaded(): string[] {
    return [...this.#pool.all()].map(([id]) => id)
  }

  /** Chat models that are loaded, by id. */
  chats(): (readonly [string, ChatModel])[] {
    return [...this.#pool.all()].flatMap(([id, model]) => (model instanceof ChatModel ? [[id, model] as const] : []))
  }

  /** Requests for embeddings that wait or run. */
  embedding(): number {
    return [...this.#pool.all()].reduce(
      (sum, [, model]) => sum + (model instanceof ChatModel ? 0 : model.engine.requests),
      0,
    )
  }

  /** Loads a model that is known to be there. */
  load(entry: CatalogueEntry): Promise<unknown> {
    return this.#pool.load(entry)
  }

  /** As `ModelPool.find`. */
  find(id: string): ChatModel | EmbeddingModel {
    return this.#pool.find(id)
  }

  /** As `ModelPool.find`; @throws ApiError `invalid_value` too, for a model of another task */
  findChat(id: string): ChatModel {
    this.#require(id, 'chat')
    const model = this.#pool.find(id)
    if (model instanceof ChatModel) return model
    throw new TypeError(`${id} is no chat model`)
  }

  /** As `findChat`. */
  findEmbedding(id: string): EmbeddingModel {
    this.#require(id, 'embedding')
    const model = this.#pool.find(id)
    if (model instanceof EmbeddingModel) return model
    throw new TypeError(`${id} is no embedding model`)
  }

  /** Before a model of another task is loaded for nothing. */
  #require(id: string, task: CatalogueEntry['task']): void {
    const entry = this.#known().find((candidate) => candidate.id === id)
    if (!entry || entry.task === task) return
    const message = `The model '${id}' is for ${WORDS[entry.task]}, not for ${WORDS[task]}.`
    throw new ApiError('invalid_value', message, { param: 'model' })
  }

  #known(): CatalogueEntry[] {
    const chats = installedModels(this.#options.models).filter(({ task }) => task === 'chat')
    return [...chats, ...catalogue().filter(({ task }) => task === 'embedding')]
  }

  #shares(): number {
    const chats = this.#known().filter(({ task }) => task === 'chat')
    return Math.min(MOST_SHARES, Math.max(1, chats.length))
  }

  async #load(entry: CatalogueEntry): Promise<ChatModel | EmbeddingModel> {
    const { models: root, device, cuda, threads, memory } = this.#options
    const path = await ensureModel(entry, { root, onProgress: progressLog(entry.id) })
    if (entry.task === 'embedding') return EmbeddingModel.load({ entry, path, threads })
    const share = { ...memory, kvBytes: memory.kvBytes / this.#shares() }
    return ChatModel.load({ entry, path, device, cuda, threads, memory: share })
  }
}

const WORDS: Readonly<Record<CatalogueEntry['task'], string>> = { chat: 'chat', embedding: 'embeddings' }

/** A line now and then of what is fetched, which may take minutes. */
function progressLog(model: string): (progress: PullProgress) => void {
  let nextAt = 0
  return ({ source, receivedBytes, totalBytes }) => {
    if (performance.now() < nextAt) return
    nextAt = performance.now() + MS_BETWEEN_PROGRESS
    console.log(
      JSON.stringify({ level: 'info', event: 'model-fetching', model, source, bytes: receivedBytes, of: totalBytes }),
    )
  }
}
