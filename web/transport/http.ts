/** Fetch, with the contract's errors turned into `RequestFailure` and answers parsed at the door. */
import * as v from 'valibot'
import { errorAnswerSchema } from './answers.ts'
import { RequestFailure } from './failure.ts'

export interface RequestOptions {
  /** A form is sent as one, all else as JSON. */
  body?: unknown
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
  /** Lets the request outlive the page; its body may have 64 KiB at most. */
  keepalive?: boolean
}

export interface HttpOptions {
  fetch: (path: string, init: RequestInit) => Promise<Response>
  /** Asked after a 401; true when the request should be tried once more. */
  renew: () => Promise<boolean>
}

export class Http {
  readonly #options: HttpOptions

  constructor(options: HttpOptions) {
    this.#options = options
  }

  /**
   * Answers only with a 2xx.
   * @throws RequestFailure
   * @throws the signal's reason, when it was aborted
   */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const response = await this.#once(method, path, options)
    if (!isSignedOut(response.status, path)) return this.#checked(response)
    return (await this.#options.renew())
      ? this.#checked(await this.#once(method, path, options))
      : this.#checked(response)
  }

  /** @throws as `send`, and `malformed` when the answer is not as `schema` has it. */
  async json<S extends v.GenericSchema>(
    schema: S,
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<v.InferOutput<S>> {
    return (await this.answer(schema, method, path, options)).answer
  }

  /** As `json`, with the answer's headers. */
  async answer<S extends v.GenericSchema>(
    schema: S,
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<{ answer: v.InferOutput<S>; headers: Headers }> {
    const response = await this.send(method, path, options)
    const parsed = v.safeParse(schema, await response.json().catch(() => undefined))
    options.signal?.throwIfAborted()
    if (!parsed.success) throw new RequestFailure('malformed', { status: response.status, cause: parsed.issues })
    return { answer: parsed.output, headers: response.headers }
  }

  async #once(method: string, path: string, { body, headers, signal, keepalive }: RequestOptions): Promise<Response> {
    const init: RequestInit = {
      method,
      keepalive: keepalive ?? false,
      credentials: 'same-origin',
      headers: { ...headers },
    }
    if (signal) init.signal = signal
    if (body instanceof FormData) init.body = body
    else if (body !== undefined) {
      init.body = JSON.stringify(body)
      init.headers = { ...headers, 'content-type': 'application/json' }
    }
    try {
      return await this.#options.fetch(path, init)
    } catch (error) {
      signal?.throwIfAborted()
      throw new RequestFailure('network', { cause: error })
    }
  }

  async #checked(response: Response): Promise<Response> {
    if (response.ok) return response
    const parsed = v.safeParse(errorAnswerSchema, await response.json().catch(() => undefined))
    const retryAfter = retryAfterSeconds(response.headers.get('retry-after'))
    if (!parsed.success) throw new RequestFailure('malformed', { status: response.status, retryAfter })
    throw new RequestFailure('api', { status: response.status, detail: parsed.output, retryAfter })
  }
}

/** DeepL's routes and LibreTranslate's say 403 where the others say 401. */
const OTHERS = /^\/(?:v[23]\/|translate|detect)/

function isSignedOut(status: number, path: string): boolean {
  return (status === 401 && path !== '/session') || (status === 403 && OTHERS.test(path))
}

/** Whole seconds of a Retry-After header, if it is there and is a number. */
export function retryAfterSeconds(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined
}
