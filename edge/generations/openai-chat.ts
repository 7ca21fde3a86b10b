/** Between OpenAI's chat completions and the runner's generations. */
import { uuidv7 } from 'uuidv7'
import type { ChatCompletion, ChatCompletionChunk, ChatMessage, ChatRequest } from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import type { ChatTurn, GenerationEvent, GenerationRequest, TokenLogprob } from '#protocol/generation.ts'
import type { Indexed } from './fan-out.ts'
import { toLogprobs } from './logprobs.ts'
import { toSampling } from './sampling.ts'
import { type FinishEvent, toTimings, toUsage } from './usage.ts'

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
    prompt: { type: 'chat', messages },
    // Both names bound the answer, so that the lower one holds.
    maxTokens: lower(request.max_completion_tokens ?? null, request.max_tokens ?? null),
    ...toSampling(request),
    logprobs: request.logprobs ? (request.top_logprobs ?? 0) : null,
    background: request.service_tier === 'flex',
  }
}

function lower(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

export function toTurn({ role, content }: ChatMessage): ChatTurn {
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('\n')
  return { role: role === 'developer' ? 'system' : role, content: text }
}

type ServiceTier = ChatCompletion['service_tier']

/** What of the request shows in how its answer is rendered. */
export interface Rendering {
  readonly logprobs: boolean
  readonly includeUsage: boolean
  readonly serviceTier: ServiceTier
  readonly n: number
}

export function renderingOf({ logprobs, stream_options, service_tier, n }: ChatRequest): Rendering {
  return {
    logprobs: logprobs ?? false,
    includeUsage: stream_options?.include_usage ?? false,
    serviceTier: service_tier === 'flex' ? 'flex' : 'default',
    n: n ?? 1,
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

/** The whole answer. @throws ApiError if a generation fails */
export async function toCompletion(
  events: AsyncIterable<Indexed>,
  { logprobs, serviceTier, n }: Rendering,
): Promise<ChatCompletion> {
  let start: StartEvent | undefined
  const finished: FinishEvent[] = []
  const answers = Array.from({ length: n }, () => ({ content: '', tokens: [] as TokenLogprob[] }))
  for await (const { index, event } of events) {
    const answer = answers[index]
    if (event.type === 'generation-start') {
      start ??= event
    } else if (event.type === 'text-delta' && answer) {
      answer.content += event.text
      answer.tokens.push(...(event.tokens ?? []))
    } else if (event.type === 'generation-error') {
      throw ApiError.fromDetail(event.error, 'runner_failed')
    } else if (event.type === 'generation-finish') {
      finished[index] = event
    }
  }
  const [first] = finished
  if (!start || !first) throw new ApiError('runner_failed', 'The runner gave no answer.')
  return {
    ...headOf(start, serviceTier),
    object: 'chat.completion',
    choices: answers.map(({ content, tokens }, index) => ({
      index,
      message: { role: 'assistant', content, refusal: null, annotations: [] },
      logprobs: logprobs ? toLogprobs(tokens) : null,
      finish_reason: (finished[index] ?? first).finishReason,
    })),
    usage: toUsage(finished.map(({ usage }) => usage)),
    timings: toTimings(first.timings),
  }
}

/** The answer as it comes. @throws ApiError if a generation fails, at the end of what it gave */
export async function* toChunks(
  events: AsyncIterable<Indexed>,
  { logprobs, includeUsage, serviceTier }: Rendering,
): AsyncGenerator<ChatCompletionChunk> {
  type Choice = ChatCompletionChunk['choices'][number]
  const noUsage = includeUsage ? { usage: null } : {}
  const finished: FinishEvent[] = []
  let head: Head | undefined
  const chunk = (index: number, delta: Choice['delta'], rest: Partial<Choice> = {}): ChatCompletionChunk => {
    if (!head) throw new ApiError('runner_failed', 'The runner gave text before it began.')
    const choices = [{ index, delta, logprobs: null, finish_reason: null, ...rest }]
    return { ...head, object: 'chat.completion.chunk', choices, ...noUsage }
  }
  let last: ChatCompletionChunk | undefined
  for await (const { index, event } of events) {
    switch (event.type) {
      case 'generation-start':
        head ??= headOf(event, serviceTier)
        yield chunk(index, { role: 'assistant', content: '', refusal: null })
        break
      case 'text-delta':
        yield chunk(index, { content: event.text }, logprobs ? { logprobs: toLogprobs(event.tokens ?? []) } : {})
        break
      case 'generation-error':
        throw ApiError.fromDetail(event.error, 'runner_failed')
      case 'generation-finish':
        finished.push(event)
        last = { ...chunk(index, {}, { finish_reason: event.finishReason }), timings: toTimings(event.timings) }
        yield last
    }
  }
  if (includeUsage && last) yield { ...last, choices: [], usage: toUsage(finished.map(({ usage }) => usage)) }
}
