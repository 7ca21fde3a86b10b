/** One request as it is generated: chooses its tokens, turns them into text, knows when to end. */
import type { GenerationConstraint, Timings, TokenLogprob, Usage } from '#protocol/generation.ts'
import type { Vocabulary } from './decoder.ts'
import type { Constraint } from './grammar/constraint.ts'
import { logprobsOf } from './logprobs.ts'
import { Penalties, type PenaltyOptions } from './penalties.ts'
import { uniform } from './random.ts'
import { type SamplingOptions, sample } from './sampler.ts'
import type { Schedulable } from './scheduler.ts'
import { StopMatcher } from './stop-matcher.ts'

export interface EngineRequest extends SamplingOptions, PenaltyOptions, Schedulable {
  /** Fits in the context after the prompt. */
  readonly maxTokens: number
  /** Fewer than this are not ended by an end token. */
  readonly minTokens?: number
  /** End tokens are tokens like others. */
  readonly ignoreEos?: boolean
  readonly seed: number
  readonly stop: readonly string[]
  /** How many alternatives to report of each token; undefined: not even its own probability. */
  readonly logprobs?: number | undefined
  /** A space that the answer begins with is left out. */
  readonly trimsSpace?: boolean
  /** What the text is held to. */
  readonly constraint?: GenerationConstraint | undefined
  /** The answer begins with these tokens, whatever would be sampled: it is one that broke off. */
  readonly begun?: readonly number[] | undefined
}

export interface Piece {
  /** May be shown. */
  readonly text: string
  readonly token: number
  readonly tokens?: readonly TokenLogprob[]
  /** Undefined while there is more to come. */
  readonly finishReason?: 'stop' | 'length'
}

type Shown = Omit<Piece, 'token'>

/** A token whose text is not all shown yet. */
interface Pending {
  readonly logprob: TokenLogprob
  /** Where its text begins, in UTF-16 code units of the answer. */
  readonly start: number
}

export interface SequenceOptions {
  readonly vocabulary: Vocabulary
  readonly constraint: Constraint | undefined
  /** When it began, and when it was asked for. */
  readonly now: number
  readonly since: number
}

export class Sequence {
  readonly request: EngineRequest
  /** Prompt and answer. */
  readonly tokens: number[]
  /** Tokens chosen, in no event yet. */
  readonly unsaid: number[] = []
  cachedTokens = 0
  /** When its prompt began to be computed, and when it was done. */
  startedAt: number
  promptDoneAt = 0
  readonly #since: number
  readonly #vocabulary: Vocabulary
  readonly #constraint: Constraint | undefined
  readonly #penalties: Penalties
  readonly #stops: StopMatcher
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  /** Some of its text has come. */
  #begun = false
  #decoded = 0
  #shown = 0
  #pending: Pending[] = []

  constructor(request: EngineRequest, { vocabulary, constraint, now, since }: SequenceOptions) {
    this.request = request
    this.#constraint = constraint
    this.tokens = [...request.prompt]
    this.#vocabulary = vocabulary
    this.#penalties = new Penalties(request, request.prompt)
    this.#stops = new StopMatcher(request.stop)
    this.startedAt = now
    this.#since = since
  }

  get generated(): number {
    return this.tokens.length - this.request.prompt.length
  }

  /**
   * Goes on by a token.
   * @param logits [vocabulary]; changed in place
   */
  choose(logits: Float32Array): Piece {
    const { request } = this
    const reported = request.logprobs === undefined ? undefined : logprobsOf(logits, request.logprobs)
    this.#penalties.apply(logits)
    const mayEnd = request.ignoreEos !== true && this.generated >= (request.minTokens ?? 0)
    if (!mayEnd) for (const eos of this.#vocabulary.eosIds) logits[eos] = Number.NEGATIVE_INFINITY
    this.#constraint?.apply(logits, mayEnd ? this.#vocabulary.eosIds : [])
    const token = request.begun?.[this.generated] ?? sample(logits, request, uniform(request.seed, this.generated))
    this.tokens.push(token)
    this.#penalties.add(token)
    return { ...this.#accept(token, reported), token }
  }

  #accept(token: number, reported: ReturnType<typeof logprobsOf> | undefined): Shown {
    if (this.#vocabulary.eosIds.includes(token)) return this.#end('stop')
    this.#constraint?.accept(token)
    if (reported) this.#pending.push({ logprob: this.#describe(reported.of(token), reported), start: this.#decoded })
    return this.#show(this.#begin(this.#decoder.decode(this.#vocabulary.decodeBytes(token), { stream: true })))
  }

  #begin(piece: string): string {
    if (this.#begun || piece === '') return piece
    this.#begun = true
    return this.request.trimsSpace && piece.startsWith(' ') ? piece.slice(1) : piece
  }

  usage(): Usage {
    const { generated, cachedTokens } = this
    return { promptTokens: this.request.prompt.length, completionTokens: generated, cachedTokens }
  }

  timings(now: number): Timings {
    const promptMs = this.promptDoneAt - this.startedAt
    const generationMs = now - this.promptDoneAt
    return {
      queueMs: this.startedAt - this.#since,
      promptMs,
      promptPerSecond: perSecond(this.request.prompt.length - this.cachedTokens, promptMs),
      generationMs,
      // The first token comes with the prompt; those after it are what the generation took time for.
      generationPerSecond: perSecond(this.generated - 1, generationMs),
    }
  }

  #show(piece: string): Shown {
    this.#decoded += piece.length
    const { text, stopped } = this.#stops.push(piece)
    if (stopped) return this.#piece(text, 'stop')
    if (this.#constraint?.finished) return this.#end('stop', text)
    if (this.generated >= this.request.maxTokens) return this.#end('length', text)
    return this.#piece(text)
  }

  /**
   * The last piece: what was held back is shown, unless it turns out to be a stop string. A character that is cut off by
   * the limit of tokens is left out.
   */
  #end(finishReason: 'stop' | 'length', before = ''): Shown {
    const rest = this.#stops.push(finishReason === 'length' ? '' : this.#decoder.decode())
    const held = rest.stopped ? '' : this.#stops.flush()
    return this.#piece(before + rest.text + held, rest.stopped ? 'stop' : finishReason)
  }

  #piece(text: string, finishReason?: 'stop' | 'length'): Shown {
    this.#shown += text.length
    const ended = finishReason === undefined ? {} : { finishReason }
    if (this.request.logprobs === undefined) return { text, ...ended }
    const isShown = ({ start }: Pending) => start < this.#shown || finishReason === 'length'
    const shown = this.#pending.filter(isShown)
    this.#pending = this.#pending.filter((pending) => !isShown(pending))
    return { text, tokens: shown.map(({ logprob }) => logprob), ...ended }
  }

  #describe(logprob: { token: number; logprob: number }, { top }: ReturnType<typeof logprobsOf>): TokenLogprob {
    const named = ({ token, logprob }: { token: number; logprob: number }) => {
      const bytes = [...this.#vocabulary.decodeBytes(token)]
      return { bytes, ...(bytes.length === 0 && { name: this.#vocabulary.nameOf(token) }), logprob }
    }
    return { ...named(logprob), top: top.map(named) }
  }
}

const perSecond = (count: number, ms: number): number => (ms > 0 && count > 0 ? (count / ms) * 1000 : 0)
