/** All runners, as one: each request goes to one that has its model, and to another if that one cannot take it. */
import type { EmbeddingsReply, EmbeddingsRequest } from '#protocol/embeddings.ts'
import { ApiError } from '#protocol/error.ts'
import type {
  GenerationEvent,
  GenerationRequest,
  RunnerHealth,
  RunnerModel,
  TokenizerReply,
  TokensReply,
  TokensRequest,
} from '#protocol/generation.ts'
import type { ImageWork } from '#protocol/image-work.ts'
import type { Heartbeat } from '#protocol/runners.ts'
import type { Scaling } from '#protocol/scaling.ts'
import type { TranslateReply, TranslateRequest } from '#protocol/translation.ts'
import { type Bindings, configOf } from '../env.ts'
import { Breaker } from './breaker.ts'
import { type Candidate, inOrder, prefixKey } from './choose.ts'
import { loadIn } from './load.ts'
import { mergeMetrics } from './merge-metrics.ts'
import { RetryBudget } from './retry-budget.ts'
import { ClientGone, noRunner, Runner } from './runner.ts'

/** The registry's one object. */
export const FLEET = 'fleet'
/** How long an isolate goes by what it knows. */
const KNOWN_MS = 1_000
const MOST_ATTEMPTS = 3
/** Before another attempt: up to this, twice as much each time. */
const JITTER_MS = 20
/** What another runner may do better. */
const ELSEWHERE = new Set(['runner_unavailable', 'runner_failed', 'queue_full', 'model_loading'])
/** What says that a runner is ill. Not that an answer broke: whoever can make one break must not shut out the others. */
const ILL = new Set(['runner_unavailable', 'runner_timeout'])

/** A runner that is heard of; of one with a fixed address nothing more is known than that. */
type Known = Heartbeat | { readonly id: 'fixed'; readonly url: string; readonly models: null }

interface Place extends Candidate {
  readonly url: string
}

/** What an isolate knows of the runners. */
const isolate = {
  known: [] as readonly Known[],
  at: Number.NEGATIVE_INFINITY,
  /** By id: requests sent since then. */
  sent: new Map<string, number>(),
  breakers: new Map<string, Breaker>(),
  budget: new RetryBudget(),
}

export class Runners {
  readonly #env: Bindings
  readonly #requestId: string

  constructor(env: Bindings, requestId: string) {
    this.#env = env
    this.#requestId = requestId
  }

  /** `ok` if any of them answers. @throws ApiError if none is in reach */
  async health(): Promise<RunnerHealth> {
    const answers = await this.#askAll((runner) => runner.health())
    return answers.find(({ status }) => status === 'ok') ?? (answers[0] as RunnerHealth)
  }

  /** In Prometheus' text format; of several, each sample says by `runner` whose it is. @throws ApiError */
  async metrics(): Promise<string> {
    return mergeMetrics(await this.#askAll(async (runner, id) => ({ runner: id, text: await runner.metrics() })))
  }

  async scaling(): Promise<Scaling> {
    const loads = await this.#askAll(async (runner) => loadIn(await runner.metrics())).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'runner_unavailable') return []
      throw error
    })
    const sum = (pick: (load: (typeof loads)[number]) => number) => loads.reduce((total, load) => total + pick(load), 0)
    return {
      waiting: sum(({ waiting }) => waiting),
      running: sum(({ running }) => running),
      slots: sum(({ slots }) => slots),
      runners: loads.length,
    }
  }

  /** Of all, each once. @throws ApiError */
  async models(): Promise<readonly RunnerModel[]> {
    const lists = await this.#askAll((runner) => runner.models())
    return [...new Map(lists.flat().map((model) => [model.id, model])).values()]
  }

  /** Those that are there now, as they were heard of; asks only a runner that does not say. @throws ApiError */
  async knownModels(): Promise<readonly RunnerModel[]> {
    const known = await this.#known()
    if (known.length === 0) throw noRunner()
    const heard = known.map(({ models }) => models)
    const models = heard.includes(null) ? await this.models() : heard.flatMap((some) => some ?? [])
    // One that is starting has none yet: that is no reason to say that there is none.
    if (models.length === 0) throw noRunner()
    return models
  }

  /** Of a model, in tokens; undefined if no runner that is heard of has it. */
  async contextLength(model: string): Promise<number | undefined> {
    const known = await this.#known()
    return known.flatMap(({ models }) => models ?? []).find(({ id }) => id === model)?.contextLength
  }

  /** @throws ApiError */
  tokens(request: TokensRequest): Promise<TokensReply> {
    return this.#attempt(request.model, '', (runner) => runner.tokens(request))
  }

  /** What a model's tokenizer is made of. @throws ApiError */
  tokenizer(model: string): Promise<TokenizerReply> {
    return this.#attempt(model, '', (runner) => runner.tokenizer(model))
  }

  /** As `Runner.embeddings`, wherever there is room. @throws ApiError */
  embeddings(request: EmbeddingsRequest, signal: AbortSignal): Promise<EmbeddingsReply> {
    return this.#attempt(request.model, this.#requestId, (runner) => runner.embeddings(request, signal))
  }

  /**
   * As `Runner.translate`, wherever there is room. By a published model any runner may: the one whose memory likely holds
   * it is asked first.
   * @throws ApiError
   */
  translate(request: TranslateRequest, signal: AbortSignal): Promise<TranslateReply> {
    const { model, published } = request
    const [needed, key] = published ? [null, published.decoder.sha256] : [model, this.#requestId]
    return this.#attempt(needed, key, (runner) => runner.translate(request, signal))
  }

  /**
   * Begins a generation, where its prefix is likely kept. As `Runner.generate`.
   * @throws ApiError what it is refused with: at once if there is no runner to ask
   */
  generate(request: GenerationRequest, signal: AbortSignal): Promise<AsyncGenerator<GenerationEvent>> {
    const key = prefixKey(request.tenant, request.prompt)
    return this.#attempt(request.model, key, (runner, { id }) =>
      runner.generate(request, signal, (error) => noteBroken(breakerOf(id), error)),
    )
  }

  /**
   * Pictures, as files in base64. Any runner may draw: the one whose memory likely holds the generator is asked first.
   * @throws ApiError as `generate`
   */
  draw(work: ImageWork, signal: AbortSignal): Promise<readonly string[]> {
    return this.#attempt(null, work.generator.sha256, (runner) => runner.draw(work, signal))
  }

  /** @param model null: what is asked needs none of a runner's own */
  async #attempt<T>(model: string | null, key: string, ask: (runner: Runner, place: Place) => Promise<T>): Promise<T> {
    const order = inOrder(await this.#candidates(model), key)
    const { budget, sent } = isolate
    budget.asked()
    for (const [attempt, place] of order.entries()) {
      const breaker = breakerOf(place.id)
      breaker.begin()
      sent.set(place.id, (sent.get(place.id) ?? 0) + 1)
      try {
        const answer = await ask(this.#runner(place.url), place)
        breaker.succeeded()
        return answer
      } catch (error) {
        note(breaker, error)
        const elsewhere = error instanceof ApiError && ELSEWHERE.has(error.code)
        const another = attempt + 1 < Math.min(order.length, MOST_ATTEMPTS)
        if (!elsewhere || !another || !budget.take()) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * JITTER_MS * 2 ** attempt))
    }
    throw new TypeError('there is always a candidate')
  }

  /** Those that may be asked for a model now; at least one. @throws ApiError why there is none */
  async #candidates(model: string | null): Promise<Place[]> {
    const known = await this.#known()
    const now = Date.now()
    const working = known.filter((runner) => runner.models === null || runner.status === 'ok')
    const serving = working.filter(
      ({ models }) => model === null || models === null || models.some(({ id }) => id === model),
    )
    // One that was starting a moment ago knows best whether it still is.
    const starting = known.filter((runner) => runner.models !== null && runner.status === 'starting')
    const having = serving.length > 0 ? serving : starting
    const places = having
      .filter(({ id }) => breakerOf(id).allows(now))
      .map((runner): Place => {
        const sent = isolate.sent.get(runner.id) ?? 0
        if (runner.models === null) return { ...runner, loaded: true, requests: sent, slots: 1 }
        const { load, loaded, id, url } = runner
        const requests = load.running + load.waiting + sent
        return { id, url, loaded: model === null || loaded.includes(model), requests, slots: Math.max(1, load.slots) }
      })
    if (places.length > 0) return places
    if (model !== null && working.length > 0 && having.length === 0) {
      throw new ApiError('model_not_found', `The model '${model.slice(0, 100)}' does not exist.`, { param: 'model' })
    }
    throw noRunner()
  }

  /** Asks all that are there; what those say that answer. @throws ApiError if none does */
  async #askAll<T>(ask: (runner: Runner, id: string) => Promise<T>): Promise<T[]> {
    const known = await this.#known()
    if (known.length === 0) throw noRunner()
    const answers = await Promise.allSettled(known.map(({ id, url }) => ask(this.#runner(url), id)))
    const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    const [first] = answers
    if (given.length === 0 && first?.status === 'rejected') throw first.reason
    return given
  }

  async #known(): Promise<readonly Known[]> {
    const now = Date.now()
    if (now - isolate.at < KNOWN_MS) return isolate.known
    const heard = JSON.parse(await this.#env.FLEET.getByName(FLEET).list()) as Heartbeat[]
    const { fixed } = configOf(this.#env).runners
    const isHeard = heard.some(({ url }) => url.replace(/\/+$/, '') === fixed)
    isolate.known = fixed === null || isHeard ? heard : [...heard, { id: 'fixed', url: fixed, models: null }]
    // Nothing is remembered of nobody: the next request looks again.
    isolate.at = isolate.known.length > 0 ? now : Number.NEGATIVE_INFINITY
    isolate.sent.clear()
    for (const id of isolate.breakers.keys()) {
      if (!isolate.known.some((runner) => runner.id === id)) isolate.breakers.delete(id)
    }
    return isolate.known
  }

  #runner(url: string): Runner {
    const { secret, timeoutMs } = configOf(this.#env).runners
    return new Runner({ url: url.replace(/\/+$/, ''), secret, timeoutMs }, this.#requestId)
  }
}

function breakerOf(id: string): Breaker {
  const breaker = isolate.breakers.get(id) ?? new Breaker()
  isolate.breakers.set(id, breaker)
  return breaker
}

/** What an error says of the runner. */
function note(breaker: Breaker, error: unknown): void {
  if (error instanceof ApiError && ILL.has(error.code)) breaker.failed(Date.now())
  else if (error instanceof ClientGone) breaker.abandoned()
  else breaker.succeeded()
}

/** A runner that falls silent in the middle is ill, too. */
function noteBroken(breaker: Breaker, error: unknown): void {
  if (error instanceof ApiError && ILL.has(error.code)) breaker.failed(Date.now())
}
