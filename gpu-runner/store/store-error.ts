export type StoreErrorCode =
  | 'no_source'
  | 'wrong_hash'
  | 'wrong_size'
  | 'no_space'
  | 'not_writable'
  | 'invalid_model'
  | 'invalid_archive'

/** A model file that cannot be had. The message is for the person who started Tandem. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
