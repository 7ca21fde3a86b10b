/** `POST /v1/chat/completions`, streamed. */
import * as v from 'valibot'
import { streamDataSchema } from './answers.ts'
import { RequestFailure } from './failure.ts'
import type { Http } from './http.ts'
import { readEvents } from './sse.ts'

export interface ChatQuestion {
  model: string
  messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[]
  temperature: number
  /** Null: as many as the context holds. */
  maxTokens: number | null
}

export type AnswerEvent =
  /** The server has taken the question. */
  | { type: 'answer-start'; servedBy: string | null }
  | { type: 'text-delta'; text: string }
  | {
      type: 'answer-finish'
      finishReason: string | null
      completionTokens: number | null
      /** Tokens a second, as the engine measured it. */
      tokensPerSecond: number | null
      promptPerSecond: number | null
    }

/**
 * Yields one `answer-start`, the text as it comes, and one `answer-finish`.
 * @throws RequestFailure: `api` when the server refuses or gives up, `broken` when the line ends early
 */
export async function* streamAnswer(
  http: Http,
  question: ChatQuestion,
  signal: AbortSignal,
): AsyncGenerator<AnswerEvent, void, undefined> {
  const response = await http.send('POST', '/v1/chat/completions', { body: requestBody(question), signal })
  if (!response.body) throw new RequestFailure('broken')
  yield { type: 'answer-start', servedBy: response.headers.get('x-served-by') }

  const finish = { finishReason: null, completionTokens: null, tokensPerSecond: null, promptPerSecond: null } as {
    finishReason: string | null
    completionTokens: number | null
    tokensPerSecond: number | null
    promptPerSecond: number | null
  }
  for await (const data of dataOf(response.body, signal)) {
    if (data === '[DONE]') {
      yield { type: 'answer-finish', ...finish }
      return
    }
    const chunk = parseChunk(data)
    const choice = chunk.choices[0]
    if (choice?.delta.content) yield { type: 'text-delta', text: choice.delta.content }
    finish.finishReason = choice?.finish_reason ?? finish.finishReason
    finish.completionTokens = chunk.usage?.completion_tokens ?? finish.completionTokens
    finish.promptPerSecond = chunk.timings?.prompt_per_second ?? finish.promptPerSecond
    finish.tokensPerSecond = chunk.timings?.generation_per_second ?? finish.tokensPerSecond
  }
  throw new RequestFailure('broken')
}

function requestBody({ model, messages, temperature, maxTokens }: ChatQuestion): object {
  return {
    model,
    messages,
    temperature,
    ...(maxTokens === null ? {} : { max_completion_tokens: maxTokens }),
    stream: true,
    stream_options: { include_usage: true },
  }
}

async function* dataOf(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<string> {
  try {
    yield* readEvents(body)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof RequestFailure ? error : new RequestFailure('broken', { cause: error })
  }
}

function parseChunk(data: string): Exclude<v.InferOutput<typeof streamDataSchema>, { error: unknown }> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (error) {
    throw new RequestFailure('malformed', { cause: error })
  }
  const parsed = v.safeParse(streamDataSchema, value)
  if (!parsed.success) throw new RequestFailure('malformed', { cause: parsed.issues })
  if ('error' in parsed.output) throw new RequestFailure('api', { detail: parsed.output.error })
  return parsed.output
}
