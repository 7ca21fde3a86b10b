/** What one sequence has computed, taken out of its slot. */
export interface KvSnapshot {
  /** Tokens. */
  readonly length: number
  readonly bytes: number
}

/**
 * What the engine needs of a model: the seam to a backend. A sequence lives in a slot, which holds its keys and values;
 * the sequences that decode together are those of the first slots.
 */
export interface Decoder<Snapshot extends KvSnapshot = KvSnapshot> {
  /** Tokens that prompt and answer may have together. */
  readonly contextLength: number
  /** Sequences that there is room for. */
  readonly slots: number
  /** Bytes of keys and values that one token takes. */
  readonly bytesPerToken: number
  /**
   * Computes two or more `tokens` of the sequence in `slot` at `position` and the places after it, given that all before
   * were computed. Whatever the pieces a prompt is cut into, the result is the same to the last bit.
   */
  prefill(tokens: readonly number[], position: number, slot: number): void
  /**
   * Computes one token for each of the first slots: `tokens[i]` at `positions[i]` of slot i. Each has the same logits
   * whatever else is computed with it, to the last bit.
   * @returns logits, [tokens, vocabulary]; valid until the next call
   */
  decode(tokens: readonly number[], positions: readonly number[]): Float32Array
  /** Copies the first `length` tokens of one slot to another. */
  move(from: number, to: number, length: number): void
  /** Copies the first `length` tokens out of a slot. */
  save(slot: number, length: number): Snapshot
  /** Copies the first `length` tokens of a snapshot into a slot. */
  restore(slot: number, snapshot: Snapshot, length: number): void
}

/** What the engine needs of a tokenizer. */
export interface Vocabulary {
  readonly vocabularySize: number
  /** The bytes of a token; none for a control token. */
  decodeBytes(token: number): Uint8Array
  /** What a control token is called. */
  nameOf(token: number): string
  /** Tokens that end an answer. */
  readonly eosIds: readonly number[]
}
