/**
 * The engine: many requests at once, each step a piece of one's prompt or one token for all that decode.
 *
 * It is synchronous and owns all that changes; the caller looks after commands between steps, so that a cancelled
 * request is gone before the next token. Each request ends in one event: `finish`, `cancelled` or `error`.
 */
import type { Timings, TokenLogprob, Usage } from '#protocol/generation.ts'
import type { Decoder, KvSnapshot, Vocabulary } from './decoder.ts'
import { Grammars } from './grammar/grammar.ts'
import { GrammarError } from './grammar/grammar-error.ts'
import { PrefixCache } from './prefix-cache.ts'
import { type Move, type Running, Scheduler } from './scheduler.ts'
import { type EngineRequest, type Piece, Sequence } from './sequence.ts'

export type { EngineRequest } from './sequence.ts'

export type EngineEvent =
  | { readonly type: 'start'; readonly id: number }
  | {
      readonly type: 'text'
      readonly id: number
      readonly text: string
      /** Those chosen since the last event. */
      readonly ids: readonly number[]
      readonly tokens?: readonly TokenLogprob[]
    }
  | {
      readonly type: 'finish'
      readonly id: number
      readonly finishReason: 'stop' | 'length'
      readonly usage: Usage
      readonly timings: Timings
    }
  | { readonly type: 'cancelled'; readonly id: number }
  /** `refused`: it is for what the answer was to be held to. */
  | { readonly type: 'error'; readonly id: number; readonly message: string; readonly refused?: true }

export interface EngineOptions<S extends KvSnapshot = KvSnapshot> {
  readonly decoder: Decoder<S>
  readonly vocabulary: Vocabulary
  readonly emit: (event: EngineEvent) => void
  /** Milliseconds from any fixed moment. */
  readonly now: () => number
  /** What prefixes kept for later may take; none by default. */
  readonly prefixCacheBytes?: number
}

export class Engine<S extends KvSnapshot = KvSnapshot> {
  readonly #decoder: Decoder<S>
  readonly #vocabulary: Vocabulary
  readonly #emit: (event: EngineEvent) => void
  readonly #now: () => number
  readonly #scheduler: Scheduler<EngineRequest>
  readonly #prefixes: PrefixCache<S>
  readonly #grammars: Grammars
  /** By id, those in a slot. */
  readonly #sequences = new Map<number, Sequence>()
  readonly #submittedAt = new Map<number, number>()

  constructor({ decoder, vocabulary, emit, now, prefixCacheBytes = 0 }: EngineOptions<S>) {
    this.#decoder = decoder
    this.#vocabulary = vocabulary
    this.#emit = emit
    this.#now = now
    this.#scheduler = new Scheduler(decoder.slots)
    this.#prefixes = new PrefixCache(prefixCacheBytes)
    this.#grammars = new Grammars(vocabulary)
  }

  submit(request: EngineRequest): void {
    this.#submittedAt.set(request.id, this.#now())
    this.#scheduler.submit(request)
  }

  /** Ends a request, waiting or running; one that has ended already is let be. */
  cancel(id: number): void {
    if (this.#leave(id)) this.#emit({ type: 'cancelled', id })
  }

  /** Computes one step; whether there is more to do. */
  step(): boolean {
    const admitted = this.#scheduler.admit()
    if (admitted) this.#endIfFails([admitted], () => this.#admit(admitted))
    const step = this.#scheduler.next()
    if (!step) return !this.#scheduler.idle
    for (const { from, to, length } of step.moves) this.#decoder.move(from, to, length)
    if (step.type === 'prefill') this.#endIfFails([step.running], () => this.#prefill(step.running, step.end))
    else this.#endIfFails(step.running, () => this.#decode(step.running))
    return !this.#scheduler.idle
  }

  #admit({ request }: Running<EngineRequest>): void {
    const { id } = request
    const now = this.#now()
    const sequence = new Sequence(request, {
      vocabulary: this.#vocabulary,
      constraint: request.constraint && this.#grammars.constrain(request.constraint),
      now,
      since: this.#submittedAt.get(id) ?? now,
    })
    this.#sequences.set(id, sequence)
    this.#emit({ type: 'start', id })
  }

  #prefill(running: Running<EngineRequest>, end: number): void {
    const { request, slot, computed } = running
    const { id, prompt } = request
    if (computed === 0 && this.#takeUp(running)) return
    this.#decoder.prefill(prompt.slice(computed, end), computed, slot)
    const last = prompt.length - 1
    if (end >= last) this.#keep(request, prompt.slice(0, last), slot)
    this.#scheduler.computed(id, Math.min(end, last))
  }

  /**
   * What is known of a prompt need not be computed again; whether there is anything. It is looked for as late as can be:
   * what came before it may have the same beginning.
   */
  #takeUp({ request: { id, tenant, prompt }, slot }: Running<EngineRequest>): boolean {
    const sequence = this.#sequenceOf(id)
    sequence.startedAt = this.#now()
    const known = this.#prefixes.find(tenant, prompt, prompt.length - 1)
    if (!known) return false
    this.#decoder.restore(slot, known.snapshot, known.length)
    sequence.cachedTokens = known.length
    this.#scheduler.computed(id, known.length)
    return true
  }

  #decode(running: readonly Running<EngineRequest>[]): void {
    const sequences = running.map(({ request }) => this.#sequenceOf(request.id))
    const positions = running.map(({ computed }) => computed)
    const tokens = sequences.map((sequence, i) => sequence.tokens[positions[i] as number] as number)
    const logits = this.#decoder.decode(tokens, positions)
    const now = this.#now()
    const vocabulary = logits.length / sequences.length
    for (const [i, sequence] of sequences.entries()) {
      if (sequence.generated === 0) sequence.promptDoneAt = now
      this.#scheduler.computed(sequence.request.id, (positions[i] as number) + 1)
    }
    // Whoever ends makes others move; their logits stay where they are.
    for (const [i, sequence] of sequences.entries()) {
      this.#endIfFails([running[i] as Running<EngineRequest>], () =>
        this.#take(sequence, sequence.choose(logits.subarray(i * vocabulary, (i + 1) * vocabulary))),
      )
    }
  }

  #take(sequence: Sequence, { text, token, tokens, finishReason }: Piece): void {
    const { id } = sequence.request
    sequence.unsaid.push(token)
    if (text !== '' || (tokens && tokens.length > 0)) {
      this.#emit({ type: 'text', id, text, ids: sequence.unsaid.splice(0), ...(tokens && { tokens }) })
    }
    if (finishReason === undefined) return
    this.#leave(id)
    const timings = sequence.timings(this.#now())
    this.#emit({ type: 'finish', id, finishReason, usage: sequence.usage(), timings })
  }

  /** Keeps what a slot has of `tokens`, unless it is known. */
  #keep({ tenant }: EngineRequest, tokens: readonly number[], slot: number): void {
    if (!this.#prefixes.takes(tokens.length * this.#decoder.bytesPerToken)) return
    if (this.#prefixes.find(tenant, tokens, tokens.length)?.length === tokens.length) return
    this.#prefixes.add(tenant, tokens, this.#decoder.save(slot, tokens.length))
  }

  /** Does something for requests; if it fails, they end with the reason, and others go on. */
  #endIfFails(running: readonly Running<EngineRequest>[], what: () => void): void {
    try {
      what()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const refused = error instanceof GrammarError && { refused: true as const }
      for (const { request } of running) {
        if (this.#leave(request.id)) this.#emit({ type: 'error', id: request.id, message, ...refused })
      }
    }
  }

  /**
   * Takes a request out; whether it was here. What it has computed of its prompt is kept; not so the answer, which the
   * next turn computes again, as it would if nothing were kept: token by token, the last bits come out otherwise.
   */
  #leave(id: number): boolean {
    const running = this.#scheduler.running.find(({ request }) => request.id === id)
    const sequence = this.#sequences.get(id)
    if (running && sequence?.generated === 0) {
      const { prompt } = running.request
      this.#keep(running.request, prompt.slice(0, Math.min(running.computed, prompt.length - 1)), running.slot)
    }
    const moves: readonly Move[] | undefined = this.#scheduler.leave(id)
    for (const { from, to, length } of moves ?? []) this.#decoder.move(from, to, length)
    this.#sequences.delete(id)
    this.#submittedAt.delete(id)
    return moves !== undefined
  }

  #sequenceOf(id: number): Sequence {
    const sequence = this.#sequences.get(id)
    if (!sequence) throw new RangeError(`no sequence ${id} is running`)
    return sequence
  }
}
