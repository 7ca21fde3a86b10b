export type GrammarErrorCode = 'invalid' | 'unsupported' | 'too_large' | 'unsatisfiable'

/** Why a schema or a regular expression cannot be held to. */
export class GrammarError extends Error {
  override readonly name = 'GrammarError'
  readonly code: GrammarErrorCode

  /** @param message says where: a JSON pointer into the schema, or a place in the expression */
  constructor(code: GrammarErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
