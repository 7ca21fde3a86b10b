/** A runner, as the edge calls it: over HTTP with the shared secret, every reply parsed and bounded. */
import { createParser } from 'eventsource-parser'
import * as v from 'valibot'
import { type EmbeddingsReply, type EmbeddingsRequest, embeddingsReplySchema } from '#protocol/embeddings.ts'
import { ApiError, errorBodySchema } from '#protocol/error.ts'
import {
  type GenerationEvent,
  type GenerationRequest,
  generationEventSchema,
  type RunnerHealth,
  type RunnerModel,
  runnerHealthSchema,
  runnerModelsSchema,
  type TokenizerReply,
  type TokensReply,
  type TokensRequest,
  tokenizerReplySchema,
  tokensReplySchema,
} from '#protocol/generation.ts'
import { drawnImagesSchema, type ImageWork } from '#protocol/image-work.ts'
import { type TranslateReply, type TranslateRequest, translateReplySchema } from '#protocol/translation.ts'

/** Seconds after which a runner that is away is likely back. */
const RETRY_SECONDS = 2
const STATUS_TIMEOUT_MS = 5_000
/** The longest event, in UTF-16 code units. */
const EVENT_LENGTH = 1 << 18

interface RunnerConfig {
  /** Without a slash at the end. */
  readonly url: string
  readonly secret: string
  /** The longest silence, in milliseconds. */
  readonly timeoutMs: number
}

export class Runner {
  readonly #config: RunnerConfig
  readonly #requestId: string

  constructor(config: RunnerConfig, requestId: string) {
    this.#config = config
    this.#requestId = requestId
  }

  async health(): Promise<RunnerHealth> {
    const response = await this.#fetch('/health', { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) })
    return parse(runnerHealthSchema, await json(response))
  }

  /** What the runner has done, in Prometheus' text format. @throws ApiError */
  async metrics(): Promise<string> {
    const response = await this.#fetch('/metrics', { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) })
    if (!response.ok) throw await refusal(response)
    return response.text()
  }

  /** @throws ApiError */
  async models(): Promise<readonly RunnerModel[]> {
    const response = await this.#fetch('/models', { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) })
    if (!response.ok) throw await refusal(response)
    return parse(runnerModelsSchema, await json(response)).models
  }

  /** @throws ApiError */
  async tokens(request: TokensRequest): Promise<TokensReply> {
    const response = await this.#fetch('/tokens', {
      method: 'POST',
      body: JSON.stringify(request),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
    })
    if (!response.ok) throw await refusal(response)
    return parse(tokensReplySchema, await json(response))
  }

  /** @throws ApiError */
  async tokenizer(model: string): Promise<TokenizerReply> {
    const response = await this.#fetch('/tokenizers', {
      method: 'POST',
      body: JSON.stringify({ model }),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
    })
    if (!response.ok) throw await refusal(response)
    return parse(tokenizerReplySchema, await json(response))
  }

  /**
   * @param signal stops the work
   * @throws ApiError what the runner refuses the request with
   */
  embeddings(request: EmbeddingsRequest, signal: AbortSignal): Promise<EmbeddingsReply> {
    return this.#work('/embeddings', request, embeddingsReplySchema, signal)
  }

  /**
   * @param signal stops the work
   * @throws ApiError what the runner refuses the request with
   */
  translate(request: TranslateRequest, signal: AbortSignal): Promise<TranslateReply> {
    return this.#work('/translate', request, translateReplySchema, signal)
  }

  /**
   * Pictures, as files in base64.
   * @param signal ends what has not been drawn yet
   * @throws ApiError what the runner refuses the request with
   */
  async draw(work: ImageWork, signal: AbortSignal): Promise<readonly string[]> {
    const { images } = await this.#work('/images', work, drawnImagesSchema, signal)
    if (images.length !== work.seeds.length) throw malformed(`${images.length} pictures, not ${work.seeds.length}`)
    return images
  }

  /** What may take as long as a generation's silence. */
  async #work<S extends v.GenericSchema>(
    path: string,
    request: object,
    schema: S,
    signal: AbortSignal,
  ): Promise<v.InferOutput<S>> {
    const silence = new SilenceTimer(this.#config.timeoutMs)
    const until = AbortSignal.any([signal, silence.signal])
    try {
      const response = await this.#fetch(path, {
        method: 'POST',
        body: JSON.stringify(request),
        headers: { 'content-type': 'application/json' },
        signal: until,
      })
      if (!response.ok) throw await refusal(response)
      return parse(schema, await json(response))
    } catch (error) {
      throw error instanceof ApiError ? error : failure(error, until)
    } finally {
      silence.stop()
    }
  }

  /**
   * Begins a generation. Its events end with one `generation-finish` or `generation-error`, or throw ApiError.
   * @param signal stops the generation
   * @throws ApiError what the runner refuses the request with
   */
  async generate(request: GenerationRequest, signal: AbortSignal): Promise<AsyncGenerator<GenerationEvent>> {
    const silence = new SilenceTimer(this.#config.timeoutMs)
    const response = await this.#fetch('/generations', {
      method: 'POST',
      body: JSON.stringify(request),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.any([signal, silence.signal]),
    }).catch((error: unknown) => {
      silence.stop()
      throw error
    })
    if (!response.ok || !response.body || !isEventStream(response)) {
      silence.stop()
      throw await refusal(response)
    }
    return events(response.body, signal, silence)
  }

  async #fetch(path: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    const headers = {
      ...init.headers,
      authorization: `Bearer ${this.#config.secret}`,
      'x-request-id': this.#requestId,
    }
    try {
      return await fetch(this.#config.url + path, { ...init, headers, redirect: 'manual' })
    } catch (cause) {
      throw failure(cause, init.signal)
    }
  }
}

/** Nobody is left to be answered. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

/** Aborts when nothing has been heard for so long. One timer looks now and then: a new one each token costs too much. */
class SilenceTimer {
  readonly #controller = new AbortController()
  readonly #timer: ReturnType<typeof setInterval>
  #heard = false

  constructor(milliseconds: number) {
    this.#timer = setInterval(() => {
      if (!this.#heard) this.#controller.abort(timeout(milliseconds))
      this.#heard = false
    }, milliseconds)
  }
  get signal(): AbortSignal {
    return this.#controller.signal
  }
  heard(): void {
    this.#heard = true
  }
  stop(): void {
    clearInterval(this.#timer)
  }
}

async function* events(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  silence: SilenceTimer,
): AsyncGenerator<GenerationEvent> {
  const received: GenerationEvent[] = []
  const parser = createParser({
    onEvent: ({ data }) => {
      received.push(parse(generationEventSchema, parseJson(data)))
    },
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') throw malformed('an event without end')
    },
    maxBufferSize: EVENT_LENGTH,
  })
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await read(reader, signal, silence.signal)
      if (done) break
      silence.heard()
      parser.feed(decoder.decode(value, { stream: true }))
      for (const event of received.splice(0)) {
        yield event
        if (event.type === 'generation-finish' || event.type === 'generation-error') return
      }
    }
    throw new ApiError('runner_failed', 'The runner stopped in the middle of the answer.', {
      retryAfter: RETRY_SECONDS,
    })
  } finally {
    silence.stop()
    await reader.cancel().catch(() => {})
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal, silence: AbortSignal) {
  try {
    return await reader.read()
  } catch (cause) {
    if (silence.aborted) throw silence.reason
    if (signal.aborted) throw new ClientGone()
    throw new ApiError('runner_failed', 'The connection to the runner broke off in the middle of the answer.', {
      retryAfter: RETRY_SECONDS,
      cause,
    })
  }
}

/** The runner's error as the caller's; a runner that refuses the edge itself is a fault of the installation. */
async function refusal(response: Response): Promise<ApiError> {
  const body = v.safeParse(errorBodySchema, await json(response))
  if (!body.success || response.status === 401 || response.status === 403) return malformed(`status ${response.status}`)
  const retryAfter = /^\d{1,6}$/.exec(response.headers.get('retry-after') ?? '')?.[0]
  const fallback = response.status < 500 ? 'invalid_request' : 'runner_failed'
  return ApiError.fromDetail(body.output.error, fallback, retryAfter === undefined ? undefined : Number(retryAfter))
}

function isEventStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true
}

async function json(response: Response): Promise<unknown> {
  return parseJson(await response.text())
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed('what is no JSON', cause)
  }
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (!result.success) throw malformed('a reply of another shape', result.issues)
  return result.output
}

function malformed(what: string, cause?: unknown): ApiError {
  return new ApiError('runner_failed', `The runner answered with ${what}.`, { cause })
}

function timeout(milliseconds: number): ApiError {
  return new ApiError('runner_timeout', `The runner was silent for ${milliseconds / 1000} s.`, {
    retryAfter: RETRY_SECONDS,
  })
}

/** Why a request did not reach the runner: a timeout has its own reason, a caller that left needs none. */
function failure(cause: unknown, signal: AbortSignal | null | undefined): unknown {
  if (signal?.aborted) {
    const reason: unknown = signal.reason
    if (reason instanceof ApiError) return reason
    if (reason instanceof Error && reason.name === 'TimeoutError') return timeout(STATUS_TIMEOUT_MS)
    return new ClientGone()
  }
  return noRunner(cause)
}

/** Says what works all the same. */
export function noRunner(cause?: unknown): ApiError {
  const works =
    'What is stored can be read, models at the edge answer, and responses with background wait for a runner.'
  return new ApiError('runner_unavailable', `No runner is available right now. ${works}`, {
    retryAfter: RETRY_SECONDS,
    cause,
  })
}
