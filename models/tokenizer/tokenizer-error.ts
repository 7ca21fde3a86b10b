export type TokenizerErrorCode =
  | 'unknown_tokenizer'
  | 'invalid_vocabulary'
  | 'invalid_template'
  | 'template_failed'
  | 'template_unbounded'

/** A tokenizer or chat template that cannot be used, or a conversation that the template refuses. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError'
  readonly code: TokenizerErrorCode

  constructor(code: TokenizerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
