/** Between OpenAI's chat completions and the runner's generations. */
import { uuidv7 } from 'uuidv7'
import type { ChatCompletion, ChatCompletionChunk, ChatMessage, ChatRequest } from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import type { ChatTurn, GenerationEvent, GenerationRequest, TokenLogprob } from '#protocol/generation.ts'
import { constrained } from './constraint.ts'
import type { Indexed } from './fan-out.ts'
import { toLogprobs } from './logprobs.ts'
import { toSampling } from './sampling.ts'
import { type FinishEvent, toTimings, toUsage } from './usage.ts'

type StartEvent = Extract<GenerationEvent, { type: 'generation-start' }>

/** @throws ApiError if the messages have no text at all, or if fields contradict each other */
export function toGenerationRequest(request: ChatRequest, tenant: string): GenerationRequest {
  const messages = request.messages.map(toTurn)
  requireCallsBeforeResults(messages)
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
  const { tools, constraint } = constrained(request)
  return {
    model: request.model,
    tenant,
    prompt: { type: 'chat', messages, ...(tools.length > 0 && { tools }) },
    // Both names bound the answer, so that the lower one holds.
    maxTokens: lower(request.max_completion_tokens ?? null, request.max_tokens ?? null),
    ...toSampling(request),
    logprobs: request.logprobs ? (request.top_logprobs ?? 0) : null,
    background: request.service_tier === 'flex',
    constraint,
  }
}

function lower(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

export function toTurn(message: ChatMessage): ChatTurn {
  const content = message.content ?? ''
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('\n')
  if (message.role === 'tool') return { role: 'tool', content: text, toolCallId: message.tool_call_id }
  if (message.role !== 'assistant') {
    return { role: message.role === 'developer' ? 'system' : message.role, content: text }
  }
  const toolCalls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: given } }) => ({
    id,
    name,
    arguments: given,
  }))
  return { role: 'assistant', content: text, ...(toolCalls.length > 0 && { toolCalls }) }
}

/** @throws ApiError for a result of a call that is not there, or arguments that are no JSON */
function requireCallsBeforeResults(turns: readonly ChatTurn[]): void {
  const calls = new Set<string>()
  for (const [i, turn] of turns.entries()) {
    if (turn.role === 'tool' && !calls.has(turn.toolCallId)) {
      throw new ApiError('invalid_value', `No call before it has the id of 'messages[${i}].tool_call_id'.`, {
        param: `messages[${i}].tool_call_id`,
      })
    }
    if (turn.role !== 'assistant') continue
    for (const [j, { id, arguments: given }] of (turn.toolCalls ?? []).entries()) {
      calls.add(id)
      if (isJsonObject(given)) continue
      const param = `messages[${i}].tool_calls[${j}].function.arguments`
      throw new ApiError('invalid_value', `Invalid '${param}': expected an object as JSON.`, { param })
    }
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

type ToolCall = NonNullable<ChatCompletion['choices'][number]['message']['tool_calls']>[number]

const newCall = (name: string): ToolCall => ({
  id: `call_${uuidv7().replaceAll('-', '')}`,
  type: 'function',
  function: { name, arguments: '' },
})

const toFinishReason = ({ finishReason }: FinishEvent) => (finishReason === 'tool-calls' ? 'tool_calls' : finishReason)

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
  const answers = Array.from({ length: n }, () => ({
    content: '',
    tokens: [] as TokenLogprob[],
    calls: [] as ToolCall[],
  }))
  for await (const { index, event } of events) {
    const answer = answers[index]
    if (event.type === 'generation-start') {
      start ??= event
    } else if (event.type === 'text-delta' && answer) {
      answer.content += event.text
      answer.tokens.push(...(event.tokens ?? []))
    } else if (event.type === 'tool-call-start' && answer) {
      answer.calls[event.index] = newCall(event.name)
    } else if (event.type === 'tool-call-delta' && answer) {
      const call = answer.calls[event.index]
      if (call) call.function.arguments += event.arguments
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
    choices: answers.map(({ content, tokens, calls }, index) => ({
      index,
      message: {
        role: 'assistant',
        content: content === '' && calls.length > 0 ? null : content,
        refusal: null,
        annotations: [],
        ...(calls.length > 0 && { tool_calls: calls }),
      },
      logprobs: logprobs ? toLogprobs(tokens) : null,
      finish_reason: toFinishReason(finished[index] ?? first),
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
      case 'tool-call-start':
        yield chunk(index, { tool_calls: [{ index: event.index, ...newCall(event.name) }] })
        break
      case 'tool-call-delta':
        yield chunk(index, { tool_calls: [{ index: event.index, function: { arguments: event.arguments } }] })
        break
      case 'generation-error':
        throw ApiError.fromDetail(event.error, 'runner_failed')
      case 'generation-finish':
        finished.push(event)
        last = { ...chunk(index, {}, { finish_reason: toFinishReason(event) }), timings: toTimings(event.timings) }
        yield last
    }
  }
  if (includeUsage && last) yield { ...last, choices: [], usage: toUsage(finished.map(({ usage }) => usage)) }
}
