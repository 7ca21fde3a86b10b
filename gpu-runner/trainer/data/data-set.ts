/** Data that models are trained on, whole in memory. */

/** Images of one size, in an order that is always the same. */
export interface ImageSet {
  readonly kind: 'images'
  readonly count: number
  readonly channels: 1 | 3 | 4
  readonly height: number
  readonly width: number
  /** [count, channels, height, width], 0 to 255. */
  readonly pixels: Uint8Array
  /** The class of each, as an index into `classes`. */
  readonly labels?: Int32Array
  readonly classes?: readonly string[]
  readonly captions?: readonly string[]
}

export interface RowSet {
  readonly kind: 'rows'
  readonly count: number
  readonly columns: readonly { readonly name: string }[]
  /** [count, columns], finite. */
  readonly values: Float32Array
  /** What a row is known to be, for evaluation alone: 1 for an anomaly. */
  readonly labels?: Uint8Array
}

export interface SentencePair {
  readonly source: string
  readonly target: string
}

/** Sentences and what each is in another language. */
export interface PairSet {
  readonly kind: 'pairs'
  readonly count: number
  /** BCP 47. */
  readonly languages: { readonly source: string; readonly target: string }
  readonly source: readonly string[]
  readonly target: readonly string[]
  /** By their indices, pairs in which marks of formats, as placeholders, are where they were. */
  readonly marked?: ReadonlyMap<number, SentencePair>
  /** Pairs of another kind: each epoch has its share of them, so that after the last each was there once. */
  readonly once?: readonly SentencePair[]
}

export type DataSet = ImageSet | RowSet | PairSet
