/** A runner that says what a test tells it to, over real HTTP, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { smallVocabulary } from '#models/tokenizer/testdata/small-vocabulary.ts'
import type { EmbeddingsReply, EmbeddingsRequest } from '#protocol/embeddings.ts'
import { ApiError } from '#protocol/error.ts'
import type { GenerationEvent, GenerationRequest, RunnerModel } from '#protocol/generation.ts'
import type { TranslateReply, TranslateRequest } from '#protocol/translation.ts'

export const RUNNER_SECRET = 'a-secret-between-edge-and-runner'

/** What `POST /generations` does with its answer; `call` says when the edge has gone. */
export type Script = (response: ServerResponse, call: RunnerCall) => void

export interface RunnerCall {
  request: GenerationRequest
  authorization: string | undefined
  requestId: string | undefined
  /** Settles when the connection has closed. */
  closed: Promise<void>
}

/** What `POST /embeddings` answers; throws ApiError to refuse. */
export type EmbeddingScript = (request: EmbeddingsRequest) => EmbeddingsReply | Promise<EmbeddingsReply>

/** What `POST /translate` answers; throws ApiError to refuse. */
export type TranslationScript = (request: TranslateRequest) => TranslateReply | Promise<TranslateReply>

export interface StubRunner {
  readonly url: string
  /** Every generation asked for, in order. */
  readonly calls: readonly RunnerCall[]
  /** Settles with the next generation that is asked for. */
  nextCall(): Promise<RunnerCall>
  script: Script
  embeddings: EmbeddingScript
  /** Told when the connection of a request for embeddings has closed. */
  onEmbeddingClosed: () => void
  translation: TranslationScript
  /** Told when the connection of a request for translations has closed. */
  onTranslationClosed: () => void
  models: readonly RunnerModel[]
  healthy: boolean
  stop(): Promise<void>
}

export async function startStubRunner(): Promise<StubRunner> {
  const calls: RunnerCall[] = []
  let waiting: ((call: RunnerCall) => void)[] = []
  // As long as a runner's own.
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    if (request.url === '/health')
      return json(response, runner.healthy ? 200 : 503, { status: runner.healthy ? 'ok' : 'starting' })
    if (request.url === '/metrics') {
      response.end('# TYPE tandem:slots gauge\ntandem:slots 4\n')
      return
    }
    if (request.url === '/tokenizers') return json(response, 200, { contextLength: 2048, metadata: TOKENIZER })
    if (request.url === '/tokens')
      return json(response, 200, { tokens: [1, 2, 3, 4, 5], text: '', contextLength: 2048 })
    if (request.url === '/embeddings') {
      response.once('close', () => runner.onEmbeddingClosed())
      return answer(runner.embeddings, request, response)
    }
    if (request.url === '/translate') {
      response.once('close', () => runner.onTranslationClosed())
      return answer(runner.translation, request, response)
    }
    if (request.url === '/models') return json(response, 200, { models: runner.models })
    const call = await readCall(request, response)
    calls.push(call)
    for (const resolve of waiting.splice(0)) resolve(call)
    runner.script(response, call)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const runner: StubRunner = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    nextCall: () => new Promise((resolve) => waiting.push(resolve)),
    script: says('Hello'),
    embeddings: embedsLengths,
    onEmbeddingClosed: () => {},
    translation: translatesWords,
    onTranslationClosed: () => {},
    models: [MODEL],
    healthy: true,
    stop: () =>
      new Promise((resolve) => {
        waiting = []
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return runner
}

/** One token for each byte, and a few more. */
const TOKENIZER = Object.fromEntries(
  smallVocabulary({
    'tokenizer.chat_template': '{% for message in messages %}{{ message.content }}{% endfor %}',
  }),
)

export const MODEL = {
  id: 'stub',
  created: 1_700_000_000,
  ownedBy: 'tandem',
  task: 'chat',
  contextLength: 2048,
  fingerprint: 'fp_stub',
  device: 'cpu',
} as const

export const START: GenerationEvent = {
  type: 'generation-start',
  model: 'stub',
  fingerprint: 'fp_stub',
  promptTokens: 5,
}

export function finish(completionTokens: number, finishReason: 'stop' | 'length' = 'stop'): GenerationEvent {
  return {
    type: 'generation-finish',
    finishReason,
    usage: { promptTokens: 5, completionTokens, cachedTokens: 0 },
    timings: { queueMs: 1, promptMs: 2, promptPerSecond: 2500, generationMs: 4, generationPerSecond: 500 },
  }
}

/** A whole generation of these texts. */
export function says(...texts: string[]): Script {
  return streams(START, ...texts.map((text): GenerationEvent => ({ type: 'text-delta', text })), finish(texts.length))
}

/**
 * A whole generation of these texts, each one token, as a runner tells one that may be taken up again.
 * @param dies after so many texts, once for each number
 */
export function saysResumably(texts: readonly string[], ...dies: number[]): Script {
  return (response, { request: { resume } }) => {
    const from = resume?.events ?? 0
    const to = dies.shift() ?? texts.length
    begin(response, START)
    for (const [i, text] of texts.slice(from, to).entries()) {
      send(response, { type: 'text-delta', text, ids: [from + i] })
    }
    if (to < texts.length) {
      setImmediate(() => response.destroy())
      return
    }
    send(response, finish(texts.length))
    response.end()
  }
}

/** These events, then the end of the stream. */
export function streams(...events: GenerationEvent[]): Script {
  return (response) => {
    begin(response, ...events)
    response.end()
  }
}

/** These events, and then nothing: the stream stays open. */
export function hangsAfter(...events: GenerationEvent[]): Script {
  return (response) => begin(response, ...events)
}

/** An error body with its status, before any stream. */
export function refuses(error: ApiError): Script {
  return (response) => refuse(response, error)
}

function refuse(response: ServerResponse, error: ApiError): void {
  if (error.retryAfter !== undefined) response.setHeader('retry-after', String(error.retryAfter))
  json(response, error.status, { error: error.detail })
}

/** Of each input its length and its place, as two numbers; a token for each character. */
export const embedsLengths: EmbeddingScript = ({ model, inputs }) => ({
  model,
  dimensions: 2,
  tokens: inputs.reduce((sum, { length }) => sum + length, 0),
  vectors: Buffer.from(Float32Array.from(inputs.flatMap(({ length }, i) => [length, i])).buffer).toString('base64'),
})

const WORDS: Readonly<Record<string, string>> = {
  a: 'un',
  close: 'fermez',
  file: 'fichier',
  hello: 'bonjour',
  is: 'est',
  new: 'nouveau',
  open: 'ouvrez',
  the: 'le',
  window: 'fenêtre',
  world: 'monde',
}
const BACK = Object.fromEntries(Object.entries(WORDS).map(([source, target]) => [target, source]))

/** Word by word, as far as it knows them; the other translations are in capitals. A token for each word. */
export const translatesWords: TranslationScript = ({ model, texts, alternatives = 0 }) => ({
  translations: texts.map((source) => {
    const words = model === 'fr-en' ? BACK : WORDS
    const text = source.replaceAll(/\p{L}+/gu, (word) => cased(word, words[word.toLowerCase()] ?? word))
    const others = Array.from({ length: alternatives }, (_, i) => `${text.toUpperCase()}${'!'.repeat(i)}`)
    const tokens = text.split(/\s+/).length
    return { text, alternatives: others, tokens, read: source.split(/\s+/).length }
  }),
})

const cased = (source: string, word: string): string =>
  /^\p{Lu}/u.test(source) ? word.charAt(0).toUpperCase() + word.slice(1) : word

export const TRANSLATION_MODELS: readonly RunnerModel[] = (['en fr', 'fr en'] as const).map((pair) => {
  const [source_language = '', target_language = ''] = pair.split(' ')
  const id = `${source_language}-${target_language}`
  return { ...MODEL, id, task: 'translation', contextLength: 256, source_language, target_language }
})

async function answer<Request, Reply>(
  script: (request: Request) => Reply | Promise<Reply>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  try {
    json(response, 200, await script(JSON.parse(text) as Request))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    refuse(response, error)
  }
}

export function begin(response: ServerResponse, ...events: GenerationEvent[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  for (const event of events) send(response, event)
}

export function send(response: ServerResponse, event: GenerationEvent): void {
  response.write(`data: ${JSON.stringify(event)}\n\n`)
}

async function readCall(request: IncomingMessage, response: ServerResponse): Promise<RunnerCall> {
  const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return {
    request: JSON.parse(text) as GenerationRequest,
    authorization: request.headers.authorization,
    requestId: request.headers['x-request-id']?.toString(),
    closed,
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
