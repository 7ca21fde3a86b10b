/**
 * What the runner has done, as Prometheus reads it. Names are vLLM's where it has them
 * (https://docs.vllm.ai/en/latest/usage/metrics.html), so that its dashboards fit; times are in seconds.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EngineEvent, EngineRequest } from './engine/engine.ts'

const FIRST_TOKEN_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const NEXT_TOKEN_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5]
const REQUEST_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600]
const labelNames = ['model_name'] as const

export class Metrics {
  readonly #registry = new Registry()
  readonly #waiting = this.#gauge('vllm:num_requests_waiting', 'Requests that wait for a slot')
  readonly #running = this.#gauge('vllm:num_requests_running', 'Requests in the running batch')
  readonly #slots = this.#gauge('tandem:slots', 'Requests that a loaded model can compute at once')
  readonly #kvUsage = this.#gauge(
    'vllm:kv_cache_usage_perc',
    'Share of the KV cache that running sequences fill, 0 to 1',
  )
  /** By model: tokens in its KV cache. */
  readonly #filled = new Map<string, number>()
  readonly #promptTokens = this.#counter('vllm:prompt_tokens_total', 'Tokens of the prompts computed')
  readonly #cacheQueries = this.#counter('vllm:prefix_cache_queries_total', 'Tokens looked for among kept prefixes')
  readonly #cachedTokens = this.#counter('vllm:prefix_cache_hits_total', 'Of them, those that were not computed again')
  readonly #generated = this.#counter('vllm:generation_tokens_total', 'Tokens generated')
  readonly #ended = new Counter({
    name: 'vllm:request_success_total',
    help: 'Requests by how they ended',
    labelNames: ['model_name', 'finished_reason'],
    registers: [this.#registry],
  })
  readonly #firstToken = this.#histogram(
    'vllm:time_to_first_token_seconds',
    'To the first text, waiting included',
    FIRST_TOKEN_BUCKETS,
  )
  readonly #nextToken = this.#histogram(
    'vllm:inter_token_latency_seconds',
    'From one token to the next',
    NEXT_TOKEN_BUCKETS,
  )
  readonly #queued = this.#histogram('vllm:request_queue_time_seconds', 'Waiting for a slot', FIRST_TOKEN_BUCKETS)
  readonly #whole = this.#histogram('vllm:e2e_request_latency_seconds', 'A whole request', REQUEST_BUCKETS)

  /** Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** @param slots of the models that are loaded, by name */
  setSlots(slots: Iterable<readonly [string, number]>): void {
    this.#slots.reset()
    for (const [model, count] of slots) this.#slots.set({ model_name: model }, count)
  }

  /**
   * Follows a request from its submission on. The result is to be told each of its events.
   * @param capacity tokens that the KV cache has room for
   */
  follow(model: string, { prompt }: Pick<EngineRequest, 'prompt'>, capacity: number): (event: EngineEvent) => void {
    const label = { model_name: model }
    const since = performance.now()
    const seconds = () => (performance.now() - since) / 1000
    let state: 'waiting' | 'running' = 'waiting'
    /** Tokens that have been counted, and when the last of them came. */
    let told = 0
    let toldAt = 0
    const fill = (tokens: number) => {
      const filled = (this.#filled.get(model) ?? 0) + tokens
      this.#filled.set(model, filled)
      this.#kvUsage.set(label, filled / capacity)
    }
    const count = (tokens: number) => {
      if (tokens <= 0) return
      const now = seconds()
      // Tokens that come together share the time since those before them.
      if (told === 0) this.#firstToken.observe(label, now)
      else for (let i = 0; i < tokens; i++) this.#nextToken.observe(label, (now - toldAt) / tokens)
      told += tokens
      toldAt = now
      this.#generated.inc(label, tokens)
      fill(tokens)
    }
    this.#waiting.inc(label)
    return (event) => {
      switch (event.type) {
        case 'start':
          state = 'running'
          this.#waiting.dec(label)
          this.#running.inc(label)
          this.#queued.observe(label, seconds())
          fill(prompt.length)
          return
        case 'text':
          count(event.ids.length)
          return
        default:
          if (event.type === 'finish') {
            count(event.usage.completionTokens - told)
            this.#promptTokens.inc(label, event.usage.promptTokens)
            this.#cacheQueries.inc(label, event.usage.promptTokens)
            this.#cachedTokens.inc(label, event.usage.cachedTokens)
          }
          if (state === 'running') fill(-(prompt.length + told))
          ;(state === 'running' ? this.#running : this.#waiting).dec(label)
          this.#ended.inc({ ...label, finished_reason: event.type === 'finish' ? event.finishReason : event.type })
          this.#whole.observe(label, seconds())
      }
    }
  }

  /** Follows a request for embeddings. The result is to be told how it ended, and the tokens that were computed. */
  followEmbeddings(model: string): (reason: 'stop' | 'cancelled' | 'error', tokens: number) => void {
    const label = { model_name: model }
    const since = performance.now()
    this.#running.inc(label)
    return (reason, tokens) => {
      this.#running.dec(label)
      this.#ended.inc({ ...label, finished_reason: reason })
      this.#whole.observe(label, (performance.now() - since) / 1000)
      this.#promptTokens.inc(label, tokens)
    }
  }

  #gauge(name: string, help: string): Gauge<'model_name'> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }
  #counter(name: string, help: string): Counter<'model_name'> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }
  #histogram(name: string, help: string, buckets: number[]): Histogram<'model_name'> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] })
  }
}
