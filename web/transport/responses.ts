/** `/v1/responses`: answers that the server goes on with, whoever reads; a broken line is taken up where it broke. */
import * as v from 'valibot'
import { isCutAtLimit, responseEventSchema, type responseSchema } from './answers.ts'
import { RequestFailure } from './failure.ts'
import type { Http } from './http.ts'
import { readEvents } from './sse.ts'

export interface Question {
  readonly model: string
  readonly conversation: string
  /** The message that is answered, by the server's name for it, or `root`. */
  readonly previousItem: string
  /** Instructions; empty for none. */
  readonly system: string
  readonly temperature: number
  /** Null: as many as the context holds. */
  readonly maxTokens: number | null
}

export type AnswerEvent =
  /** The server has taken the question. */
  | { readonly type: 'answer-start'; readonly responseId: string; readonly servedBy: string | null }
  | { readonly type: 'text-delta'; readonly text: string }
  /** The line is broken, or whole again. */
  | { readonly type: 'line'; readonly broken: boolean }
  | {
      readonly type: 'answer-finish'
      readonly status: 'completed' | 'incomplete' | 'cancelled'
      /** The server's name for the message; null if it has none. */
      readonly itemId: string | null
      readonly cutAtLimit: boolean
      /** As the engine measured them. */
      readonly tokensPerSecond: number | null
      readonly promptPerSecond: number | null
    }

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000

/**
 * Asks, and yields one `answer-start`, the text as it comes, and one `answer-finish`.
 * @throws RequestFailure `api` when the server refuses or the answer fails
 */
export async function* askForAnswer(http: Http, question: Question): AsyncGenerator<AnswerEvent, void, undefined> {
  const { model, conversation, previousItem, system, temperature, maxTokens } = question
  const body = {
    model,
    conversation: { id: conversation, previous_item_id: previousItem },
    input: [],
    ...(system.trim() === '' ? {} : { instructions: system }),
    temperature,
    ...(maxTokens === null ? {} : { max_output_tokens: maxTokens }),
    stream: true,
    truncation: 'auto',
  }
  // The same key is the same answer: where the line breaks before its first event, it is asked for again.
  const headers = { 'idempotency-key': crypto.randomUUID() }
  const ask = () => http.send('POST', '/v1/responses', { body, headers })
  yield* follow(await ask(), (id, last) => (id === null ? ask() : reopen(http, id, last)))
}

/** Reads an answer that is being written, or has been, from its beginning. As `askForAnswer`. */
export async function* readAnswer(http: Http, responseId: string): AsyncGenerator<AnswerEvent, void, undefined> {
  const open = (_: string | null, last: number) => reopen(http, responseId, last)
  yield* follow(await open(responseId, -1), open)
}

/** Stops an answer; it keeps what it has. */
export async function stopAnswer(http: Http, responseId: string): Promise<void> {
  await http.send('POST', `/v1/responses/${responseId}/cancel`)
}

/** @param again opens the answer whose id and last event are known so far */
async function* follow(
  first: Response,
  again: (responseId: string | null, last: number) => Promise<Response>,
): AsyncGenerator<AnswerEvent, void, undefined> {
  let responseId: string | null = null
  let response: Response | null = first
  let last = -1
  let waitMs = FIRST_WAIT_MS
  for (;;) {
    try {
      response ??= await again(responseId, last)
      if (!response.body) throw new RequestFailure('broken')
      if (waitMs > FIRST_WAIT_MS) yield { type: 'line', broken: false }
      for await (const data of readEvents(response.body)) {
        const event = parse(data)
        last = event.sequence_number
        waitMs = FIRST_WAIT_MS
        responseId ??= event.response?.id ?? null
        if (event.type === 'response.created' && responseId !== null) {
          yield { type: 'answer-start', responseId, servedBy: response.headers.get('x-served-by') }
        }
        if (event.type === 'response.output_text.delta' && event.delta) yield { type: 'text-delta', text: event.delta }
        const finish = event.response && finishOf(event.type, event.response)
        if (finish) {
          yield finish
          return
        }
      }
      throw new RequestFailure('broken')
    } catch (error) {
      const failure = RequestFailure.from(error)
      // What the server says is final, unless it says that it is not there yet.
      if (failure.kind === 'malformed' || (failure.kind === 'api' && failure.status !== 503)) throw failure
      response = null
      if (waitMs === FIRST_WAIT_MS) yield { type: 'line', broken: true }
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
  }
}

function reopen(http: Http, id: string, after: number): Promise<Response> {
  const from = after < 0 ? '' : `&starting_after=${after}`
  return http.send('GET', `/v1/responses/${id}?stream=true${from}`)
}

/** @throws RequestFailure for an answer that failed */
function finishOf(type: string, response: v.InferOutput<typeof responseSchema>): AnswerEvent | undefined {
  if (type === 'response.failed') {
    const { code = null, message = '' } = response.error ?? {}
    throw new RequestFailure('api', { detail: { message, type: 'server_error', param: null, code } })
  }
  if (type !== 'response.completed' && type !== 'response.incomplete') return undefined
  const { status, output, timings } = response
  return {
    type: 'answer-finish',
    status: status === 'completed' || status === 'cancelled' ? status : 'incomplete',
    itemId: output.find((item) => item.type === 'message')?.id ?? null,
    cutAtLimit: isCutAtLimit(response),
    tokensPerSecond: timings?.generation_per_second ?? null,
    promptPerSecond: timings?.prompt_per_second ?? null,
  }
}

function parse(data: string): v.InferOutput<typeof responseEventSchema> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (error) {
    throw new RequestFailure('malformed', { cause: error })
  }
  const parsed = v.safeParse(responseEventSchema, value)
  if (!parsed.success) throw new RequestFailure('malformed', { cause: parsed.issues })
  return parsed.output
}
