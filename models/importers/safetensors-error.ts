export type SafetensorsErrorCode =
  | 'truncated'
  | 'header_too_large'
  | 'invalid_header'
  | 'duplicate_key'
  | 'invalid_tensor'
  | 'unknown_type'
  | 'unsupported_type'
  | 'invalid_shape'
  | 'invalid_range'
  | 'shape_mismatch'
  | 'overlapping_tensors'
  | 'hole'

/** A file that is no legal safetensors file, or not one that is read here. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError'
  readonly code: SafetensorsErrorCode

  constructor(code: SafetensorsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
