/**
 * Who computes next. Synchronous, without a device, a clock or a model in it.
 *
 * Sequences that decode have the first slots, without a gap, and take every decode step together. The one whose prompt
 * is being computed has the slot after them; while others decode, its prompt is taken in short pieces between their
 * steps, so that it stalls nobody. Whoever leaves is replaced by the last, which is a move for the decoder to make.
 */
import { FairQueue } from './fair-queue.ts'

/** Tokens of a prompt in one step: when nobody waits for it, and when others decode. */
const LONG_PIECE = 512
const SHORT_PIECE = 64

export interface Schedulable {
  readonly id: number
  readonly tenant: string
  /** Served when nothing else waits. */
  readonly background: boolean
  /** At least one token. */
  readonly prompt: readonly number[]
}

/** A sequence in a slot. */
export interface Running<R extends Schedulable> {
  readonly request: R
  readonly slot: number
  /** Its tokens whose keys and values are in the slot. */
  readonly computed: number
}
type Place<R extends Schedulable> = { -readonly [K in keyof Running<R>]: Running<R>[K] }

export type Step<R extends Schedulable> =
  /** Compute the prompt from `computed` to `end`; two tokens at least. */
  | { readonly type: 'prefill'; readonly running: Running<R>; readonly end: number }
  /** Compute one token of each, slot by slot. */
  | { readonly type: 'decode'; readonly running: readonly Running<R>[] }

/** The first `length` tokens of a slot go to another. */
export interface Move {
  readonly from: number
  readonly to: number
  readonly length: number
}

export class Scheduler<R extends Schedulable> {
  readonly #slots: number
  readonly #interactive = new FairQueue<R>()
  readonly #background = new FairQueue<R>()
  /** By slot. */
  readonly #decoding: Place<R>[] = []
  #prefilling: Place<R> | undefined
  #prefilledLast = false

  /** @param slots sequences that there is room for */
  constructor(slots: number) {
    this.#slots = slots
  }

  get waiting(): number {
    return this.#interactive.size + this.#background.size
  }
  get running(): readonly Running<R>[] {
    return this.#prefilling ? [...this.#decoding, this.#prefilling] : this.#decoding
  }
  get idle(): boolean {
    return this.waiting === 0 && this.running.length === 0
  }

  submit(request: R): void {
    const queue = request.background ? this.#background : this.#interactive
    queue.push(request.tenant, request)
  }

  /** Gives the next request that waits a slot, if one is free and no other prompt is being computed. */
  admit(): Running<R> | undefined {
    if (this.#prefilling || this.#decoding.length === this.#slots) return undefined
    const request = this.#interactive.take() ?? this.#background.take()
    if (!request) return undefined
    const place = { request, slot: this.#decoding.length, computed: 0 }
    this.#place(place)
    return place
  }

  /** What to do now. Each step is to be followed by `computed`, or by `leave` for those that end with it. */
  next(): Step<R> | undefined {
    const prefilling = this.#prefilling
    const decoding = this.#decoding.length > 0
    if (prefilling && !(decoding && this.#prefilledLast)) {
      this.#prefilledLast = true
      return { type: 'prefill', running: prefilling, end: this.#endOfPiece(prefilling) }
    }
    this.#prefilledLast = false
    return decoding ? { type: 'decode', running: [...this.#decoding] } : undefined
  }

  /** A sequence's first `tokens` tokens are in its slot now; with its prompt done it decodes from the next step on. */
  computed(id: number, tokens: number): void {
    const place = [...this.#decoding, this.#prefilling].find((candidate) => candidate?.request.id === id)
    if (!place) throw new RangeError(`no sequence ${id} is running`)
    place.computed = tokens
    if (place === this.#prefilling) this.#place(place)
  }

  /** The last token of a prompt is the first to be decoded: the answer begins with what comes after it. */
  #place(place: Place<R>): void {
    const ready = place.computed >= place.request.prompt.length - 1
    this.#prefilling = ready ? undefined : place
    if (ready) this.#decoding.push(place)
  }

  /** Takes a request out, waiting or running. Undefined if it is not here, else the moves that close its gap, in order. */
  leave(id: number): readonly Move[] | undefined {
    if (this.#prefilling?.request.id === id) {
      this.#prefilling = undefined
      return []
    }
    const at = this.#decoding.findIndex(({ request }) => request.id === id)
    if (at >= 0) return this.#closeGap(at)
    const isIt = (request: R) => request.id === id
    return this.#interactive.remove(isIt) || this.#background.remove(isIt) ? [] : undefined
  }

  #closeGap(at: number): readonly Move[] {
    const moves: Move[] = []
    const move = (place: Place<R>, to: number) => {
      if (place.slot === to) return
      moves.push({ from: place.slot, to, length: place.computed })
      place.slot = to
    }
    const last = this.#decoding.pop() as Place<R>
    if (at < this.#decoding.length) {
      this.#decoding[at] = last
      move(last, at)
    }
    if (this.#prefilling) move(this.#prefilling, this.#decoding.length)
    return moves
  }

  /** All but the last token of the prompt; yet that too, to be decoded once more, where one would be left by itself. */
  #endOfPiece({ request, computed }: Running<R>): number {
    const end = computed + (this.#decoding.length > 0 ? SHORT_PIECE : LONG_PIECE)
    const last = request.prompt.length - 1
    return end + 1 >= last ? Math.max(last, computed + 2) : end
  }
}
