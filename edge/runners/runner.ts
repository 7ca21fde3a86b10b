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

interface Ask {
  /** Sent as JSON. */
  readonly body?: object
  /** Of what may take as long as a generation's silence: stops it. */
  readonly work?: AbortSignal
}

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

  health(): Promise<RunnerHealth> {
    // One that is not ready says so with a status of its own.
    return this.#ask('/health', async (response) => parse(runnerHealthSchema, await json(response)))
  }

  /** What the runner has done, in Prometheus' text format. @throws ApiError */
  metrics(): Promise<string> {
    return this.#ask('/metrics', async (response) => (await accepted(response)).text())
  }

  /** @throws ApiError */
  async models(): Promise<readonly RunnerModel[]> {
    return (await this.#ask('/models', inShape(runnerModelsSchema))).models
  }

  /** @throws ApiError */
  tokens(body: TokensRequest): Promise<TokensReply> {
    return this.#ask('/tokens', inShape(tokensReplySchema), { body })
  }

  /** @throws ApiError */
  tokenizer(model: string): Promise<TokenizerReply> {
    return this.#ask('/tokenizers', inShape(tokenizerReplySchema), { body: { model } })
  }

  /**
   * @param signal stops the work
   * @throws ApiError what the runner refuses the request with
   */
  embeddings(body: EmbeddingsRequest, signal: AbortSignal): Promise<EmbeddingsReply> {
    return this.#ask('/embeddings', inShape(embeddingsReplySchema), { body, work: signal })
  }

  /**
   * @param signal stops the work
   * @throws ApiError what the runner refuses the request with
   */
  translate(body: TranslateRequest, signal: AbortSignal): Promise<TranslateReply> {
    return this.#ask('/translate', inShape(translateReplySchema), { body, work: signal })
  }

  /**
   * Pictures, as files in base64.
   * @param signal ends what has not been drawn yet
   * @throws ApiError what the runner refuses the request with
   */
  async draw(work: ImageWork, signal: AbortSignal): Promise<readonly string[]> {
    const { images } = await this.#ask('/images', inShape(drawnImagesSchema), { body: work, work: signal })
    if (images.length !== work.seeds.length) throw malformed(`${images.length} pictures, not ${work.seeds.length}`)
    return images
  }

  async #ask<T>(path: string, read: (response: Response) => Promise<T>, { body, work }: Ask = {}): Promise<T> {
    const silence = new SilenceTimer(work ? this.#config.timeoutMs : STATUS_TIMEOUT_MS)
    const signal = work ? AbortSignal.any([work, silence.signal]) : silence.signal
    try {
      return await read(await this.#fetch(path, { ...(body && post(body)), signal }))
    } catch (error) {
      throw error instanceof ApiError ? error : failure(error, signal)
    } finally {
      silence.stop()
    }
  }

  /**
   * Begins a generation. Its events end with one `generation-finish` or `generation-error`, or throw ApiError.
   * @param signal stops the generation
   * @param onFailure is told what the events throw
   * @throws ApiError what the runner refuses the request with
   */
  async generate(
    request: GenerationRequest,
    signal: AbortSignal,
    onFailure: (error: unknown) => void,
  ): Promise<AsyncGenerator<GenerationEvent>> {
    const silence = new SilenceTimer(this.#config.timeoutMs)
    const response = await this.#fetch('/generations', {
      ...post(request),
      signal: AbortSignal.any([signal, silence.signal]),
    }).catch((error: unknown) => {
      silence.stop()
      throw error
    })
    if (!response.ok || !response.body || !isEventStream(response)) {
      silence.stop()
      throw await refusal(response)
    }
    return events(response.body, { signal, silence, onFailure })
  }

  async #fetch(path: string, init: RequestInit & { headers?: Readonly<Record<string, string>> }): Promise<Response> {
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

/** Looks at a silence so many times before it is one: an edge that stood still itself hears, between two looks, what has come. */
const LOOKS = 4

/** Aborts when nothing has been heard for so long. One timer looks now and then: a new one each token costs too much. */
class SilenceTimer {
  readonly signal: AbortSignal
  readonly #timer: ReturnType<typeof setInterval>
  #silentLooks = 0

  constructor(milliseconds: number) {
    const controller = new AbortController()
    this.signal = controller.signal
    this.#timer = setInterval(() => {
      if (this.#silentLooks === LOOKS) controller.abort(timeout(milliseconds))
      this.#silentLooks++
    }, milliseconds / LOOKS)
  }
  heard(): void {
    this.#silentLooks = 0
  }
  stop(): void {
    clearInterval(this.#timer)
  }
}

interface Listening {
  readonly signal: AbortSignal
  readonly silence: SilenceTimer
  readonly onFailure: (error: unknown) => void
}

/** One generator from the connection to the event: each that a token goes through costs. */
async function* events(
  body: ReadableStream<Uint8Array>,
  { signal, silence, onFailure }: Listening,
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
      const { done, value } = await reader.read()
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
  } catch (thrown) {
    const error = thrown instanceof ApiError ? thrown : brokenOff(thrown, signal, silence.signal)
    onFailure(error)
    throw error
  } finally {
    silence.stop()
    await reader.cancel().catch(() => {})
  }
}

/** Why a stream of events cannot be read on. */
function brokenOff(cause: unknown, signal: AbortSignal, silence: AbortSignal): unknown {
  if (silence.aborted) return silence.reason
  if (signal.aborted) return new ClientGone()
  return new ApiError('runner_failed', 'The connection to the runner broke off in the middle of the answer.', {
    retryAfter: RETRY_SECONDS,
    cause,
  })
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

function post(body: object) {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

/** @throws ApiError what the runner refuses with */
async function accepted(response: Response): Promise<Response> {
  if (!response.ok) throw await refusal(response)
  return response
}

/** Reads a reply, which has to be of that shape. */
function inShape<S extends v.GenericSchema>(schema: S): (response: Response) => Promise<v.InferOutput<S>> {
  return async (response) => parse(schema, await json(await accepted(response)))
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
