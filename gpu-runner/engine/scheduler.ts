/**
 * Who computes next. Synchronous, without a device, a clock or a model in it.
 *
 * Sequences that decode have the first slots, without a gap, and take every decode step together. Those whose prompts are
 * being computed have slots behind them. While others decode, prompts are taken in short pieces between their steps, so
 * that a long one stalls nobody; of several prompts the one that is nearest to its end goes first, so that a short one does
 * not wait for a long one, and every other piece is of the oldest, so that a long one comes to its end too. Whoever leaves
 * is replaced by the last, which is a move for the decoder to make.
 */
import { FairQueue } from './fair-queue.ts'

/** Tokens of a prompt in one step: when nobody waits for it, and when others decode. */
const LONG_PIECE = 512
const SHORT_PIECE = 64
/** The share of slots that background requests leave to others, who then need not wait for one of them to end. */
const INTERACTIVE_SHARE = 1 / 4

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

/** `moves` are to be made first, in order. */
export type Step<R extends Schedulable> =
  /** Compute the prompt from `computed` to `end`; two tokens at least. */
  | {
      readonly type: 'prefill'
      readonly moves: readonly Move[]
      readonly running: Running<R>
      readonly end: number
    }
  /** Compute one token of each, slot by slot. */
  | { readonly type: 'decode'; readonly moves: readonly Move[]; readonly running: readonly Running<R>[] }

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
  /** The oldest first. */
  #prefilling: Place<R>[] = []
  #prefilledLast = false
  #oldestLast = false

  /** @param slots sequences that there is room for */
  constructor(slots: number) {
    this.#slots = slots
  }

  get waiting(): number {
    return this.#interactive.size + this.#background.size
  }
  get running(): readonly Running<R>[] {
    return [...this.#decoding, ...this.#prefilling]
  }
  get idle(): boolean {
    return this.waiting === 0 && this.running.length === 0
  }

  submit(request: R): void {
    const queue = request.background ? this.#background : this.#interactive
    queue.push(request.tenant, request)
  }

  /** Gives the next request that waits a slot, if there is one for it. */
  admit(): Running<R> | undefined {
    const taken = this.#decoding.length + this.#prefilling.length
    // Beside another prompt one slot stays free: the two may have to change places.
    if (taken >= (this.#prefilling.length > 0 ? this.#slots - 1 : this.#slots)) return undefined
    const forBackground = this.#slots - Math.floor(this.#slots * INTERACTIVE_SHARE)
    const request = this.#interactive.take() ?? (taken < forBackground ? this.#background.take() : undefined)
    if (!request) return undefined
    const place = { request, slot: this.#freeSlot(), computed: 0 }
    this.#prefilling.push(place)
    return place
  }

  /** What to do now. Each step is to be followed by `computed`, or by `leave` for those that end with it. */
  next(): Step<R> | undefined {
    const moves = this.#promote()
    const decoding = this.#decoding.length > 0
    if (this.#prefilling.length > 0 && !(decoding && this.#prefilledLast)) {
      this.#prefilledLast = true
      const running = this.#nextPrompt()
      return { type: 'prefill', running, end: this.#endOfPiece(running), moves }
    }
    this.#prefilledLast = false
    return decoding ? { type: 'decode', running: [...this.#decoding], moves } : undefined
  }

  /** A sequence's first `tokens` tokens are in its slot now; with its prompt done it decodes from the next step on. */
  computed(id: number, tokens: number): void {
    const place = this.#placeOf(id)
    if (!place) throw new RangeError(`no sequence ${id} is running`)
    place.computed = tokens
  }

  /** Takes a request out, waiting or running. Undefined if it is not here, else the moves that close its gap, in order. */
  leave(id: number): readonly Move[] | undefined {
    const place = this.#placeOf(id)
    if (place && !this.#decoding.includes(place)) {
      this.#prefilling = this.#prefilling.filter((other) => other !== place)
      return []
    }
    if (place) return this.#closeGap(place.slot)
    const isIt = (request: R) => request.id === id
    return this.#interactive.remove(isIt) || this.#background.remove(isIt) ? [] : undefined
  }

  /**
   * Those whose prompts are done decode from now on, in the first slot behind the others that do. The last token of a
   * prompt is the first to be decoded: the answer begins with what comes after it.
   */
  #promote(): readonly Move[] {
    const moves: Move[] = []
    for (const place of this.#prefilling.filter(({ request, computed }) => computed >= request.prompt.length - 1)) {
      const slot = this.#decoding.length
      const inTheWay = this.#prefilling.find((other) => other !== place && other.slot === slot)
      if (inTheWay) moves.push(...moved(inTheWay, this.#freeSlot()))
      moves.push(...moved(place, slot))
      this.#prefilling = this.#prefilling.filter((other) => other !== place)
      this.#decoding.push(place)
    }
    return moves
  }

  #closeGap(at: number): readonly Move[] {
    const last = this.#decoding.pop() as Place<R>
    if (at === this.#decoding.length) return []
    this.#decoding[at] = last
    return moved(last, at)
  }

  /** Of the prompts that are being computed; those of the background wait for the others. */
  #nextPrompt(): Place<R> {
    const interactive = this.#prefilling.filter(({ request }) => !request.background)
    const candidates = interactive.length > 0 ? interactive : this.#prefilling
    this.#oldestLast = !this.#oldestLast
    if (this.#oldestLast) return candidates[0] as Place<R>
    const left = ({ request, computed }: Place<R>) => request.prompt.length - computed
    return candidates.reduce((nearest, place) => (left(place) < left(nearest) ? place : nearest))
  }

  /** All but the last token of the prompt; yet that too, to be decoded once more, where one would be left by itself. */
  #endOfPiece({ request, computed }: Running<R>): number {
    const end = computed + (this.#decoding.length > 0 ? SHORT_PIECE : LONG_PIECE)
    const last = request.prompt.length - 1
    return end + 1 >= last ? Math.max(last, computed + 2) : end
  }

  #placeOf(id: number): Place<R> | undefined {
    return [...this.#decoding, ...this.#prefilling].find(({ request }) => request.id === id)
  }

  /** The first that nobody has; there is one whenever it is asked for. */
  #freeSlot(): number {
    const taken = new Set(this.#prefilling.map(({ slot }) => slot))
    let slot = this.#decoding.length
    while (taken.has(slot)) slot++
    return slot
  }
}

/** Gives a sequence another slot. @returns the move that takes what it has computed there, if that is anything */
function moved<R extends Schedulable>(place: Place<R>, to: number): readonly Move[] {
  const { slot: from, computed: length } = place
  place.slot = to
  return from === to || length === 0 ? [] : [{ from, to, length }]
}
