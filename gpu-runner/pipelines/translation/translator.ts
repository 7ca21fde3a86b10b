/** Sentences to their translations, on the two graphs of models/architectures/published-translation.ts. */
import { CANDIDATES } from '#models/architectures/published-translation.ts'
import { END } from '#models/tokenizer/translation-tokenizer.ts'
import type { Runtime, Session } from '../../runtime/runtime.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { BeamSearch, type Hypothesis, type SearchOptions } from './beam-search.ts'
import { Scratch } from './scratch.ts'

export interface TranslatorShape {
  readonly width: number
  readonly heads: number
  readonly decoderLayers: number
  /** Tokens that a translation may have, the one at the end included. */
  readonly positions: number
}

export interface Sentence {
  /** Tokens, with the one that ends it. */
  readonly tokens: readonly number[]
  /** Tokens that its translation has to have, once each. */
  readonly required: ReadonlySet<number>
  /** Tokens that in its translation come behind another one, with words between. */
  readonly apart: ReadonlyMap<number, number>
}

export interface TranslateOptions extends Pick<SearchOptions, 'beam' | 'wanted' | 'blank' | 'isReserved'> {
  /** Looked at between steps: false ends it at once. */
  readonly isWanted: () => boolean
}

type Tensors = Readonly<Record<string, Tensor>>

/** A translation is no longer than so many times its sentence, and so many tokens more. */
const MOST_TIMES = 3
const MOST_MORE = 10

export class Translator implements Disposable {
  readonly #ort: Runtime
  readonly #shape: TranslatorShape
  readonly #encoder: Session
  readonly #decoder: Session
  readonly #scratch: Scratch

  /** @param encoder ONNX files' bytes */
  constructor(ort: Runtime, encoder: Uint8Array, decoder: Uint8Array, shape: TranslatorShape) {
    this.#ort = ort
    this.#shape = shape
    this.#encoder = ort.session(encoder)
    this.#decoder = ort.session(decoder)
    this.#scratch = new Scratch(ort)
  }

  /**
   * All at once: what is of about one length belongs together.
   * @returns what was found for each sentence, the best first; undefined if it is not wanted any more
   */
  translate(sentences: readonly Sentence[], options: TranslateOptions): readonly (readonly Hypothesis[])[] | undefined {
    const { beam, wanted, blank, isReserved, isWanted } = options
    const searches = sentences.map(({ tokens, required, apart }) => {
      const most = Math.min(this.#shape.positions, MOST_TIMES * tokens.length + MOST_MORE)
      return new BeamSearch({ beam, wanted, most, required, apart, blank, isReserved })
    })
    using decoding = new Decoding(this.#ort, this.#decoder, this.#shape, this.#scratch)
    this.#encode(sentences, decoding)
    let rows = sentences.map((_, sentence) => ({ sentence, next: Array(beam).fill(START) as (typeof START)[] }))
    while (rows.length > 0) {
      if (!isWanted()) return undefined
      const candidates = decoding.step(rows.map(({ next }) => next))
      const left = rows.flatMap(({ sentence }, place) => {
        const next = searches[sentence]?.advance(candidates, place * beam)
        return next ? [{ sentence, next: [...next], place }] : []
      })
      decoding.keep(
        left.map(({ place }) => place),
        beam,
      )
      rows = left
    }
    return searches.map((search) => search.results())
  }

  #encode(sentences: readonly Sentence[], decoding: Decoding): void {
    const batch = sentences.length
    const length = Math.max(...sentences.map(({ tokens }) => tokens.length))
    using ids = this.#ort.tensor('int64', [batch, length])
    using places = this.#ort.tensor('int64', [length])
    const seen = decoding.begin(batch, length)
    for (let i = 0; i < length; i++) places.data[i] = BigInt(i)
    for (const [row, { tokens }] of sentences.entries()) {
      for (const [i, token] of tokens.entries()) ids.data[row * length + i] = BigInt(token)
      seen.data.fill(0, row * length, (row + 1) * length)
      seen.data.fill(1, row * length, row * length + tokens.length)
    }
    using step = this.#encoder.bind({ ids, places, seen }, decoding.memory)
    step.run()
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]()
    this.#decoder[Symbol.dispose]()
  }
}

/** What every hypothesis begins with. */
const START = { parent: 0, token: END }

/** The decoder's side of one batch: memory of the sentences, and keys and values of the hypotheses. */
class Decoding implements Disposable {
  readonly #ort: Runtime
  readonly #session: Session
  readonly #shape: TranslatorShape
  readonly #scratch: Scratch
  readonly #layers: readonly string[]
  #sentences = 0
  #length = 0
  #place = 0
  #hypotheses = 0
  /** The first row of each sentence's hypotheses, at the step before. */
  #first: readonly number[] = []
  #memory: Record<string, Tensor<'float32'>> = {}
  #seen: Tensor<'int32'> | undefined

  constructor(ort: Runtime, session: Session, shape: TranslatorShape, scratch: Scratch) {
    this.#ort = ort
    this.#session = session
    this.#shape = shape
    this.#scratch = scratch
    this.#layers = Array.from({ length: shape.decoderLayers }, (_, i) => [`${i}.key`, `${i}.value`]).flat()
  }

  /** What the encoder fills. */
  get memory(): Tensors {
    return this.#memory
  }

  /** @returns where it is said what is seen, int32 [sentences, length] */
  begin(sentences: number, length: number): Tensor<'int32'> {
    this.#sentences = sentences
    this.#length = length
    return this.#view()
  }

  /**
   * Computes what may come next.
   * @param rows of each sentence, its hypotheses: which they continue, and by which token
   */
  step(rows: readonly (readonly { parent: number; token: number }[])[]) {
    const { width, heads } = this.#shape
    const all = rows.flat()
    const beam = all.length / rows.length
    const count = all.length
    const isFirst = this.#place === 0
    const cache = (which: 'past' | 'present', place: number, hypotheses: number) => {
      const dims = [hypotheses, heads, place, width / heads]
      const side = (this.#place + (which === 'past' ? 0 : 1)) % 2
      return this.#layers.map((name) => [`${which}.${name}`, this.#scratch.tensor(`${side}.${name}`, dims)] as const)
    }
    using owned = new DisposableStack()
    const integers = (dims: readonly number[], of: (i: number) => number) => {
      const tensor = owned.use(this.#ort.tensor('int64', dims))
      for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = BigInt(of(i))
      return tensor
    }
    const hypotheses = isFirst ? count : this.#hypotheses
    const past = cache('past', this.#place, hypotheses)
    const present = cache('present', this.#place + 1, count)
    for (const [, tensor] of [...past, ...present]) owned.use(tensor)
    const inputs = {
      ids: integers([count], (i) => all[i]?.token ?? END),
      place: integers([1], () => this.#place),
      parents: integers([count], (i) =>
        isFirst ? i : (this.#first[Math.floor(i / beam)] ?? 0) + (all[i]?.parent ?? 0),
      ),
      grid: integers([rows.length, beam], (i) => i),
      seen: this.#seen as Tensor,
      ...this.#memory,
      ...Object.fromEntries(past),
    }
    const tokens = owned.use(this.#ort.tensor('int64', [count, CANDIDATES]))
    const scores = owned.use(this.#ort.tensor('float32', [count, CANDIDATES]))
    using step = this.#session.bind(inputs, { ...Object.fromEntries(present), tokens, scores })
    step.run()
    this.#place++
    this.#hypotheses = count
    return { tokens: tokens.data, scores: scores.data }
  }

  /** @param places of the sentences that are not done, in order */
  keep(places: readonly number[], beam: number): void {
    this.#first = places.map((place) => place * beam)
    if (places.length === this.#sentences) return
    const parts = [...Object.values(this.#memory), ...(this.#seen ? [this.#seen] : [])]
    for (const { data } of parts) {
      const size = data.length / this.#sentences
      for (const [to, from] of places.entries()) data.copyWithin(to * size, from * size, (from + 1) * size)
    }
    this.#sentences = places.length
    if (places.length > 0) this.#view()
  }

  /** Tensors over what there is of memory. */
  #view(): Tensor<'int32'> {
    this[Symbol.dispose]()
    const { width, heads } = this.#shape
    const dims = [this.#sentences, heads, this.#length, width / heads]
    this.#memory = Object.fromEntries(
      this.#layers.map((name) => [`memory.${name}`, this.#scratch.tensor(`memory.${name}`, dims)]),
    )
    const seen = this.#scratch.integers('seen', [this.#sentences, this.#length])
    this.#seen = seen
    return seen
  }

  [Symbol.dispose](): void {
    for (const tensor of Object.values(this.#memory)) tensor[Symbol.dispose]()
    this.#seen?.[Symbol.dispose]()
    this.#memory = {}
    this.#seen = undefined
  }
}
