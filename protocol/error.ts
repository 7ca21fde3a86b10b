/**
 * The one shape of an error, on every route of the edge and of the runner.
 *
 * OpenAI's clients read `{"error": {"message", "type", "param", "code"}}`; all four keys are always there.
 * A message names the field, the limit and the value given.
 */
import * as v from 'valibot'

export const errorDetailSchema = v.object({
  message: v.string(),
  type: v.string(),
  param: v.nullable(v.string()),
  code: v.nullable(v.string()),
})
export const errorBodySchema = v.object({ error: errorDetailSchema })
export type ErrorDetail = v.InferOutput<typeof errorDetailSchema>
export type ErrorBody = v.InferOutput<typeof errorBodySchema>

/** Every code an answer may bear, with its status and OpenAI's name for its kind. */
const CODES = {
  invalid_request: [400, 'invalid_request_error'],
  invalid_json: [400, 'invalid_request_error'],
  invalid_value: [400, 'invalid_request_error'],
  missing_required_parameter: [400, 'invalid_request_error'],
  unknown_parameter: [400, 'invalid_request_error'],
  unsupported_parameter: [400, 'invalid_request_error'],
  context_length_exceeded: [400, 'invalid_request_error'],
  invalid_job_state: [400, 'invalid_request_error'],
  invalid_upload: [400, 'invalid_request_error'],
  missing_api_key: [401, 'authentication_error'],
  invalid_api_key: [401, 'authentication_error'],
  insufficient_scope: [403, 'permission_error'],
  forbidden_origin: [403, 'permission_error'],
  not_yours_to_delete: [403, 'permission_error'],
  model_not_found: [404, 'invalid_request_error'],
  not_found: [404, 'invalid_request_error'],
  previous_response_not_found: [404, 'invalid_request_error'],
  method_not_allowed: [405, 'invalid_request_error'],
  request_in_flight: [409, 'conflict_error'],
  conversation_locked: [409, 'conflict_error'],
  key_in_use: [409, 'conflict_error'],
  last_admin_key: [409, 'conflict_error'],
  idempotency_key_reused: [409, 'conflict_error'],
  lease_lost: [409, 'conflict_error'],
  request_too_large: [413, 'invalid_request_error'],
  unsupported_media_type: [415, 'invalid_request_error'],
  unprocessable: [422, 'invalid_request_error'],
  rate_limit_exceeded: [429, 'rate_limit_error'],
  insufficient_quota: [429, 'insufficient_quota'],
  queue_full: [429, 'rate_limit_error'],
  internal_error: [500, 'server_error'],
  not_implemented: [501, 'server_error'],
  runner_failed: [502, 'server_error'],
  runner_unavailable: [503, 'server_error'],
  model_loading: [503, 'server_error'],
  model_unavailable: [503, 'server_error'],
  storage_full: [503, 'server_error'],
  runner_timeout: [504, 'server_error'],
} as const satisfies Record<string, readonly [number, string]>

export type ErrorCode = keyof typeof CODES

export interface ApiErrorOptions {
  /** The field at fault, as a path: `messages[0].role`. */
  param?: string | undefined
  /** Whole seconds after which the caller may try again; becomes the Retry-After header. */
  retryAfter?: number | undefined
  cause?: unknown
}

/** A failure that the caller is told about. Anything else that is thrown becomes a 500 without its details. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  readonly param: string | null
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.param = options.param ?? null
    this.retryAfter = options.retryAfter
  }

  get status(): (typeof CODES)[ErrorCode][0] {
    return CODES[this.code][0]
  }

  /** The `error` member of the answer's body. */
  get detail(): ErrorDetail {
    return { message: this.message, type: CODES[this.code][1], param: this.param, code: this.code }
  }

  /** Takes up an error that another part of Tandem rendered; an unknown code becomes `fallback`. */
  static fromDetail(detail: ErrorDetail, fallback: ErrorCode, retryAfter?: number): ApiError {
    const code = detail.code !== null && detail.code in CODES ? (detail.code as ErrorCode) : fallback
    return new ApiError(code, detail.message, { param: detail.param ?? undefined, retryAfter })
  }
}
