export type GgufErrorCode =
  | 'bad_magic'
  | 'big_endian'
  | 'unsupported_version'
  | 'truncated'
  | 'invalid_string'
  | 'invalid_name'
  | 'invalid_count'
  | 'invalid_value'
  | 'unknown_value_type'
  | 'nested_array'
  | 'duplicate_key'
  | 'missing_key'
  | 'wrong_key_type'
  | 'invalid_alignment'
  | 'unknown_tensor_type'
  | 'duplicate_tensor'
  | 'invalid_dims'
  | 'partial_block'
  | 'misaligned_tensor'
  | 'tensor_out_of_bounds'
  | 'overlapping_tensors'

/** A file that is no legal GGUF, or not one that is read here. */
export class GgufError extends Error {
  override readonly name = 'GgufError'
  readonly code: GgufErrorCode

  constructor(code: GgufErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
