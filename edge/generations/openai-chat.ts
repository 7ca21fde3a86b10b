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
import type {
  ChatTurn,
  GenerationEvent,
  GenerationRequest,
  Timings,
  TokenLogprob,
  Usage,
} from '#protocol/generation.ts'
import { toLogprobs } from './logprobs.ts'

type StartEvent = Extract<GenerationEvent, { type: 'generation-start' }>

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
  if (request.top_logprobs && !request.logprobs) {
    throw new ApiError('invalid_value', "'top_logprobs' is only allowed when 'logprobs' is true.", {
      param: 'top_logprobs',
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
    minP: request.min_p,
    typicalP: request.typical_p,
    repetitionPenalty: request.repetition_penalty,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    logitBias: Object.entries(request.logit_bias ?? {}).map(([token, bias]) => [Number(token), bias]),
    minTokens: request.min_tokens,
    ignoreEos: request.ignore_eos,
    logprobs: request.logprobs ? (request.top_logprobs ?? 0) : null,
    background: request.service_tier === 'flex',
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

type ServiceTier = ChatCompletion['service_tier']

/** What of the request shows in how its answer is rendered. */
export interface Rendering {
  readonly logprobs: boolean
  readonly includeUsage: boolean
  readonly serviceTier: ServiceTier
}

export function renderingOf({ logprobs, stream_options, service_tier }: ChatRequest): Rendering {
  return {
    logprobs: logprobs ?? false,
    includeUsage: stream_options?.include_usage ?? false,
    serviceTier: service_tier === 'flex' ? 'flex' : 'default',
  }
}

/** What all chunks of an answer have in common. */
interface Head {
  id: string
  created: number
  model: string
  system_fingerprint: string
  service_tier: ServiceTier
}

function headOf({ model, fingerprint }: StartEvent, tier: ServiceTier): Head {
  return {
    id: `chatcmpl-${uuidv7().replaceAll('-', '')}`,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprint,
    service_tier: tier,
  }
}

/** The whole answer. @throws ApiError if the generation fails */
export async function toCompletion(
  events: AsyncIterable<GenerationEvent>,
  { logprobs, serviceTier }: Rendering,
): Promise<ChatCompletion> {
  let start: StartEvent | undefined
  let content = ''
  const tokens: TokenLogprob[] = []
  for await (const event of events) {
    if (event.type === 'generation-start') {
      start = event
    } else if (event.type === 'text-delta') {
      content += event.text
      tokens.push(...(event.tokens ?? []))
    } else if (event.type === 'generation-error') {
      throw ApiError.fromDetail(event.error, 'runner_failed')
    } else if (start) {
      return {
        ...headOf(start, serviceTier),
        object: 'chat.completion',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content, refusal: null, annotations: [] },
            logprobs: logprobs ? toLogprobs(tokens) : null,
            finish_reason: event.finishReason,
          },
        ],
        usage: toUsage(event.usage),
        timings: toTimings(event.timings),
      }
    }
  }
  throw new ApiError('runner_failed', 'The runner gave no answer.')
}

/** The answer as it comes. @throws ApiError if the generation fails, at the end of what it gave */
export async function* toChunks(
  events: AsyncIterable<GenerationEvent>,
  { logprobs, includeUsage, serviceTier }: Rendering,
): AsyncGenerator<ChatCompletionChunk> {
  type Choice = ChatCompletionChunk['choices'][number]
  const noUsage = includeUsage ? { usage: null } : {}
  let head: Head | undefined
  const chunk = (delta: Choice['delta'], rest: Partial<Choice> = {}): ChatCompletionChunk => {
    if (!head) throw new ApiError('runner_failed', 'The runner gave text before it began.')
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: null, ...rest }]
    return { ...head, object: 'chat.completion.chunk', choices, ...noUsage }
  }
  for await (const event of events) {
    switch (event.type) {
      case 'generation-start':
        head = headOf(event, serviceTier)
        yield chunk({ role: 'assistant', content: '', refusal: null })
        break
      case 'text-delta':
        yield chunk({ content: event.text }, logprobs ? { logprobs: toLogprobs(event.tokens ?? []) } : {})
        break
      case 'generation-error':
        throw ApiError.fromDetail(event.error, 'runner_failed')
      case 'generation-finish': {
        const timings = toTimings(event.timings)
        const last = { ...chunk({}, { finish_reason: event.finishReason }), timings }
        yield last
        if (includeUsage) yield { ...last, choices: [], usage: toUsage(event.usage) }
      }
    }
  }
}

function toUsage({ promptTokens, completionTokens, cachedTokens }: Usage): ChatUsage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens, audio_tokens: 0 },
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
