/** From OpenAI's request for a response to the runner's generation. */
import type { ChatRequest } from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import type { Item, Response, ResponseRequest } from '#protocol/responses.ts'
import type { Account } from '../accounts/holder.ts'
import { toGenerationRequest } from '../generations/openai-chat.ts'
import { toMessages } from './items.ts'
import type { ResponseRecord } from './record.ts'

export interface Asked {
  readonly request: ResponseRequest
  readonly id: string
  readonly account: Account
  readonly requestId: string
  readonly now: number
  /** Drawn if the request has none, so that the answer can be taken up again. */
  readonly seed: number
  /** Earlier turns, and the request's own. */
  readonly input: readonly Item[]
}

/** @throws ApiError if fields contradict each other, under the names that they have in this request */
export function toRecord({ request, id, account, requestId, now, seed, input }: Asked): ResponseRecord {
  const logprobs = request.include?.includes('message.output_text.logprobs') ?? false
  if (request.top_logprobs && !logprobs) {
    const message = "'top_logprobs' is only allowed when 'include' has 'message.output_text.logprobs'."
    throw new ApiError('invalid_value', message, { param: 'top_logprobs' })
  }
  if (request.background && !request.store) {
    throw new ApiError('invalid_value', "'background' is only allowed when 'store' is true.", { param: 'background' })
  }
  const generation = underOurNames(() =>
    toGenerationRequest({ ...toChat(request, input), logprobs, seed } satisfies ChatRequest, account.owner),
  )
  return {
    owner: account.owner,
    account,
    requestId,
    createdAt: now,
    response: toResponse(request, { id, now, seed }),
    generation: request.background ? { ...generation, background: true } : generation,
    input,
    logprobs,
  }
}

function toChat(request: ResponseRequest, input: readonly Item[]): Omit<ChatRequest, 'logprobs' | 'seed'> {
  const { tools, tool_choice, text, max_output_tokens, instructions, ...rest } = request
  return {
    ...rest,
    messages: toMessages(instructions ?? null, input),
    stream: false,
    n: 1,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    max_completion_tokens: max_output_tokens,
    max_tokens: null,
    top_logprobs: request.top_logprobs,
    service_tier: request.service_tier,
    tools: (tools ?? []).map(({ name, description, parameters, strict }) => ({
      type: 'function',
      function: { name, ...(description && { description }), ...(parameters && { parameters }), strict },
    })),
    tool_choice:
      typeof tool_choice === 'object' ? { type: 'function', function: { name: tool_choice.name } } : tool_choice,
    response_format:
      text.format?.type === 'json_schema'
        ? {
            type: 'json_schema',
            json_schema: { name: text.format.name, schema: text.format.schema, strict: text.format.strict },
          }
        : (text.format ?? { type: 'text' }),
    stream_options: undefined,
  }
}

function toResponse(request: ResponseRequest, { id, now, seed }: Pick<Asked, 'id' | 'now' | 'seed'>): Response {
  const { conversation: asked } = request
  const conversation = typeof asked === 'string' ? { id: asked } : asked && { id: asked.id }
  return {
    id,
    object: 'response',
    created_at: Math.floor(now / 1000),
    completed_at: null,
    status: request.background ? 'queued' : 'in_progress',
    background: request.background ?? false,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: null,
    model: request.model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    conversation: conversation ?? null,
    reasoning: { effort: null, summary: null },
    service_tier: request.service_tier === 'flex' ? 'flex' : 'default',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: request.text.format ?? { type: 'text' }, verbosity: 'medium' },
    tool_choice: request.tool_choice,
    // Arguments are held to their schema unless told otherwise, as OpenAI has it.
    tools: (request.tools ?? []).map(({ description = null, parameters = null, strict, ...tool }) => ({
      ...tool,
      description,
      parameters,
      strict: strict ?? true,
    })),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage: null,
    user: request.user ?? null,
    safety_identifier: request.safety_identifier ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    access_programs: null,
    metadata: request.metadata ?? {},
    system_fingerprint: null,
    seed,
    timings: null,
  }
}

/** A chat completion's fields that have other names here. */
const NAMES: readonly (readonly [string, string])[] = [
  ['response_format.json_schema.schema', 'text.format.schema'],
  ['response_format', 'text.format'],
  ['messages', 'input'],
]

/** @throws what `body` throws, with the fields of a chat completion under the names that they have in a response */
export function underOurNames<T>(body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw renamed(error)
  }
}

export function renamed(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error
  const [from, to] = NAMES.find(([name]) => error.param === name || error.param?.startsWith(`${name}[`)) ?? []
  if (from === undefined || to === undefined) return error
  const message = error.message.replaceAll(`'${from}'`, `'${to}'`)
  return new ApiError(error.code, message, { param: to, retryAfter: error.retryAfter, cause: error.cause })
}
