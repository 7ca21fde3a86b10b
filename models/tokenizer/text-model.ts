/** What a kind of tokenizer does of its own: how plain text becomes tokens of a vocabulary, and tokens bytes. */

/** `tokenizer.ggml.token_type` */
export const TokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** Tokens and their types, by number. */
export interface Vocabulary {
  readonly tokens: readonly string[]
  readonly types: readonly number[]
}

export interface TextModel {
  /** What llama.cpp takes where the metadata does not say whether a prompt begins with a token of its own. */
  readonly addBos: boolean
  /** And for metadata keys of single tokens. */
  readonly defaultIds: Readonly<Record<string, number>>
  /** Whether a space is put before every text, as SentencePiece does; it is in the bytes of the first token. */
  readonly addsSpace: boolean
  /** Appends the tokens of a text in which nothing is special. */
  encode(text: string, out: number[]): void
  /** The bytes of a token of text. */
  bytes(id: number): Uint8Array
}
