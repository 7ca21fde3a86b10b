/** What went wrong with a request, in a form that a reader can be told about. */
import type { ErrorDetail } from '#protocol/error.ts'

export type FailureKind =
  /** The server answered with an error. */
  | 'api'
  /** No answer came: offline, or the server is gone. */
  | 'network'
  /** The line broke before the answer had ended. */
  | 'broken'
  /** The server answered with something that is not in the contract. */
  | 'malformed'

export interface FailureOptions {
  status?: number
  detail?: ErrorDetail
  /** Seconds after which trying again makes sense. */
  retryAfter?: number | undefined
  cause?: unknown
}

export class RequestFailure extends Error {
  override readonly name = 'RequestFailure'
  readonly kind: FailureKind
  readonly status: number | null
  readonly code: string | null
  readonly retryAfter: number | undefined

  constructor(kind: FailureKind, options: FailureOptions = {}) {
    super(options.detail?.message ?? kind, { cause: options.cause })
    this.kind = kind
    this.status = options.status ?? null
    this.code = options.detail?.code ?? null
    this.retryAfter = options.retryAfter
  }

  /** Whether it says that no runner can answer just now, or that nothing can be reached at all. */
  get away(): boolean {
    return this.kind === 'network' || this.kind === 'broken' || this.status === 502 || this.status === 503
  }

  static from(error: unknown): RequestFailure {
    return error instanceof RequestFailure ? error : new RequestFailure('network', { cause: error })
  }
}
