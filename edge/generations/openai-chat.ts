/** Between OpenAI's chat completions and the runner's generations. */
import { uuidv7 } from 'uuidv7'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatRequest,
  ChatTimings,
  ChatUsage,
} from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import type { ChatTurn, GenerationEvent, GenerationRequest, Timings, Usage } from '#protocol/generation.ts'

type StartEvent = Extract<GenerationEvent, { type: 'generation-start' }>
type FinishEvent = Extract<GenerationEvent, { type: 'generation-finish' }>

/** @throws ApiError if the messages have no text at all, or if fields contradict each other */
export function toGenerationRequest(request: ChatRequest, tenant: string): GenerationRequest {
  const messages = request.messages.map(toTurn)
  if (messages.every(({ content }) => content.trim() === '')) {
    throw new ApiError('invalid_value', "Invalid 'messages': expected some text, got none.", { param: 'messages' })
  }
  if (request.stream_options && !request.stream) {
    throw new ApiError('invalid_value', "'stream_options' is only allowed when 'stream' is true.", {
      param: 'stream_options',
    })
  }
  return {
    model: request.model,
    tenant,
    messages,
    // Both names bound the answer, so that the lower one holds.
    maxTokens: lower(request.max_completion_tokens ?? null, request.max_tokens ?? null),
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    seed: request.seed ?? null,
    stop: typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []),
  }
}

function lower(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

function toTurn({ role, content }: ChatMessage): ChatTurn {
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('\n')
  return { role: role === 'developer' ? 'system' : role, content: text }
}

/** What all chunks of an answer have in common. */
interface Head {
  id: string
  created: number
  model: string
  system_fingerprint: string
  service_tier: 'default'
}

function headOf({ model, fingerprint }: StartEvent): Head {
  return {
    id: `chatcmpl-${uuidv7().replaceAll('-', '')}`,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprint,
    service_tier: 'default',
  }
}

/** The whole answer. @throws ApiError if the generation fails */
export async function toCompletion(events: AsyncIterable<GenerationEvent>): Promise<ChatCompletion> {
  let start: StartEvent | undefined
  let content = ''
  for await (const event of events) {
    if (event.type === 'generation-start') start = event
    else if (event.type === 'text-delta') content += event.text
    else if (event.type === 'generation-error') throw ApiError.fromDetail(event.error, 'runner_failed')
    else if (start) return completion(headOf(start), content, event)
  }
  throw new ApiError('runner_failed', 'The runner gave no answer.')
}

function completion(head: Head, content: string, { finishReason, usage, timings }: FinishEvent): ChatCompletion {
  return {
    ...head,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage: toUsage(usage),
    timings: toTimings(timings),
  }
}

/** The answer as it comes. @throws ApiError if the generation fails, at the end of what it gave */
export async function* toChunks(
  events: AsyncIterable<GenerationEvent>,
  includeUsage: boolean,
): AsyncGenerator<ChatCompletionChunk> {
  const noUsage = includeUsage ? { usage: null } : {}
  let head: Head | undefined
  const chunk = (
    delta: ChatCompletionChunk['choices'][number]['delta'],
    finish_reason: ChatCompletionChunk['choices'][number]['finish_reason'] = null,
  ): ChatCompletionChunk => {
    if (!head) throw new ApiError('runner_failed', 'The runner gave text before it began.')
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }]
    return { ...head, object: 'chat.completion.chunk', choices, ...noUsage }
  }
  for await (const event of events) {
    switch (event.type) {
      case 'generation-start':
        head = headOf(event)
        yield chunk({ role: 'assistant', content: '', refusal: null })
        break
      case 'text-delta':
        yield chunk({ content: event.text })
        break
      case 'generation-error':
        throw ApiError.fromDetail(event.error, 'runner_failed')
      case 'generation-finish': {
        const timings = toTimings(event.timings)
        const last = { ...chunk({}, event.finishReason), timings }
        yield last
        if (includeUsage) yield { ...last, choices: [], usage: toUsage(event.usage) }
      }
    }
  }
}

function toUsage({ promptTokens, completionTokens }: Usage): ChatUsage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

function toTimings({ queueMs, promptMs, promptPerSecond, generationMs, generationPerSecond }: Timings): ChatTimings {
  return {
    queue_ms: queueMs,
    prompt_ms: promptMs,
    prompt_per_second: promptPerSecond,
    generation_ms: generationMs,
    generation_per_second: generationPerSecond,
  }
}
