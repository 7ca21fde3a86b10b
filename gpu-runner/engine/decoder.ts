/** What the engine needs of a model: the seam to a backend. */
export interface Decoder {
  /** Tokens that prompt and answer may have together. */
  readonly contextLength: number
  /**
   * Computes `tokens` at `position` and the places after it, given that all before were computed.
   * @returns logits after the last token, [vocabulary]; valid until the next call
   */
  run(tokens: readonly number[], position: number): Float32Array
}

/** What the engine needs of a tokenizer. */
export interface Vocabulary {
  /** The bytes of a token; none for a control token. */
  decodeBytes(token: number): Uint8Array
  /** Tokens that end an answer. */
  readonly eosIds: readonly number[]
}
