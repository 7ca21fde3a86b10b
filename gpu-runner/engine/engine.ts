/**
 * The engine: takes requests one after the other, fairly between tenants, and generates their answers.
 *
 * It is synchronous and owns all that changes: `step` computes one piece of the prompt or one token, and the caller
 * looks after commands between steps, so that a cancelled request is gone before the next token. Each request ends in
 * one event: `finish`, `cancelled` or `error`.
 */
import type { Timings, Usage } from '#protocol/generation.ts'
import type { Decoder, Vocabulary } from './decoder.ts'
import { FairQueue } from './fair-queue.ts'
import { uniform } from './random.ts'
import { type SamplingOptions, sample } from './sampler.ts'
import { StopMatcher } from './stop-matcher.ts'

export interface EngineRequest extends SamplingOptions {
  readonly id: number
  readonly tenant: string
  /** Not empty, and shorter than the context. */
  readonly prompt: readonly number[]
  /** Fits in the context after the prompt. */
  readonly maxTokens: number
  readonly seed: number
  readonly stop: readonly string[]
}

export type EngineEvent =
  | { readonly type: 'start'; readonly id: number }
  | { readonly type: 'text'; readonly id: number; readonly text: string }
  | {
      readonly type: 'finish'
      readonly id: number
      readonly finishReason: 'stop' | 'length'
      readonly usage: Usage
      readonly timings: Timings
    }
  | { readonly type: 'cancelled'; readonly id: number }
  | { readonly type: 'error'; readonly id: number; readonly message: string }

/** Tokens of a prompt that are computed in one step: long enough to be quick, short enough to be interrupted. */
const PREFILL_CHUNK = 256

interface Active {
  readonly request: EngineRequest
  readonly stops: StopMatcher
  readonly text: InstanceType<typeof TextDecoder>
  readonly startedAt: number
  readonly queuedMs: number
  computed: number
  generated: number
  lastToken: number
  promptDoneAt: number
}

export interface EngineOptions {
  readonly decoder: Decoder
  readonly vocabulary: Vocabulary
  readonly emit: (event: EngineEvent) => void
  /** Milliseconds from any fixed moment. */
  readonly now: () => number
}

export class Engine {
  readonly #decoder: Decoder
  readonly #vocabulary: Vocabulary
  readonly #eos: ReadonlySet<number>
  readonly #emit: (event: EngineEvent) => void
  readonly #now: () => number
  readonly #queue = new FairQueue<{ request: EngineRequest; since: number }>()
  #active: Active | undefined

  constructor({ decoder, vocabulary, emit, now }: EngineOptions) {
    this.#decoder = decoder
    this.#vocabulary = vocabulary
    this.#eos = new Set(vocabulary.eosIds)
    this.#emit = emit
    this.#now = now
  }

  submit(request: EngineRequest): void {
    this.#queue.push(request.tenant, { request, since: this.#now() })
  }

  /** Ends a request, waiting or running; one that has ended already is let be. */
  cancel(id: number): void {
    const running = this.#active?.request.id === id
    if (running) this.#active = undefined
    if (running || this.#queue.remove(({ request }) => request.id === id)) this.#emit({ type: 'cancelled', id })
  }

  /** Computes one step; whether there is more to do. */
  step(): boolean {
    const active = this.#active ?? this.#next()
    if (!active) return false
    try {
      const logits = this.#compute(active)
      if (logits) this.#accept(active, sample(logits, active.request, uniform(active.request.seed, active.generated)))
    } catch (error) {
      this.#active = undefined
      this.#emit({
        type: 'error',
        id: active.request.id,
        message: error instanceof Error ? error.message : String(error),
      })
    }
    return this.#active !== undefined || this.#queue.size > 0
  }

  #next(): Active | undefined {
    const waiting = this.#queue.take()
    if (!waiting) return undefined
    const { request, since } = waiting
    const startedAt = this.#now()
    this.#emit({ type: 'start', id: request.id })
    this.#active = {
      request,
      stops: new StopMatcher(request.stop),
      text: new TextDecoder(),
      startedAt,
      queuedMs: startedAt - since,
      computed: 0,
      generated: 0,
      lastToken: 0,
      promptDoneAt: startedAt,
    }
    return this.#active
  }

  /** The logits for the next token, or nothing while there is more of the prompt to compute. */
  #compute(active: Active): Float32Array | undefined {
    const { prompt } = active.request
    const position = active.computed
    if (position >= prompt.length) {
      active.computed++
      return this.#decoder.run([active.lastToken], position)
    }
    const chunk = prompt.slice(position, position + PREFILL_CHUNK)
    active.computed += chunk.length
    const logits = this.#decoder.run(chunk, position)
    if (active.computed < prompt.length) return undefined
    active.promptDoneAt = this.#now()
    return logits
  }

  #accept(active: Active, token: number): void {
    const { id, maxTokens } = active.request
    active.generated++
    active.lastToken = token
    if (this.#eos.has(token)) {
      this.#finish(active, 'stop', active.stops.flush() + active.text.decode())
      return
    }
    const piece = active.text.decode(this.#vocabulary.decodeBytes(token), { stream: true })
    const { text, stopped } = active.stops.push(piece)
    if (stopped) {
      this.#finish(active, 'stop', text)
      return
    }
    if (active.generated < maxTokens) {
      if (text !== '') this.#emit({ type: 'text', id, text })
      return
    }
    const rest = active.stops.push(active.text.decode())
    const held = rest.stopped ? '' : active.stops.flush()
    this.#finish(active, rest.stopped ? 'stop' : 'length', text + rest.text + held)
  }

  #finish(active: Active, finishReason: 'stop' | 'length', lastText: string): void {
    const { id, prompt } = active.request
    const promptMs = active.promptDoneAt - active.startedAt
    const generationMs = this.#now() - active.promptDoneAt
    // The first token comes with the prompt; those after it are what the generation took time for.
    const later = active.generated - 1
    if (lastText !== '') this.#emit({ type: 'text', id, text: lastText })
    this.#emit({
      type: 'finish',
      id,
      finishReason,
      usage: { promptTokens: prompt.length, completionTokens: active.generated },
      timings: {
        queueMs: active.queuedMs,
        promptMs,
        promptPerSecond: perSecond(prompt.length, promptMs),
        generationMs,
        generationPerSecond: perSecond(later, generationMs),
      },
    })
    this.#active = undefined
  }
}

const perSecond = (count: number, ms: number): number => (ms > 0 ? (count / ms) * 1000 : 0)
