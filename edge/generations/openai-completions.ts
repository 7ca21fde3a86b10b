/** Between OpenAI's completions and the runner's generations: one answer for each prompt, `n` times. */
import { uuidv7 } from 'uuidv7'
import type { Completion, CompletionRequest } from '#protocol/completions.ts'
import { ApiError } from '#protocol/error.ts'
import type { GenerationEvent, GenerationRequest, Prompt, TokenLogprob } from '#protocol/generation.ts'
import { type Indexed, repeated } from './fan-out.ts'
import { tokenKey } from './logprobs.ts'
import { toSampling } from './sampling.ts'
import { type FinishEvent, toTimings, toUsage } from './usage.ts'

/** OpenAI's default for completions. */
const MAX_TOKENS = 16

type StartEvent = Extract<GenerationEvent, { type: 'generation-start' }>
type Choice = Completion['choices'][number]
type Logprobs = NonNullable<Choice['logprobs']>

export function promptsOf({ prompt }: CompletionRequest): Prompt[] {
  if (typeof prompt === 'string') return [{ type: 'text', text: prompt }]
  if (isTokens(prompt)) return [{ type: 'tokens', tokens: prompt }]
  return prompt.map((each) =>
    typeof each === 'string' ? { type: 'text', text: each } : { type: 'tokens', tokens: [...each] },
  )
}

function isTokens(prompt: Exclude<CompletionRequest['prompt'], string>): prompt is number[] {
  return typeof prompt[0] === 'number'
}

/** The answers to a prompt follow each other, prompt by prompt. @throws ApiError if fields contradict each other */
export function toGenerationRequests(request: CompletionRequest, tenant: string): GenerationRequest[] {
  if (request.stream_options && !request.stream) {
    throw new ApiError('invalid_value', "'stream_options' is only allowed when 'stream' is true.", {
      param: 'stream_options',
    })
  }
  const prompts = promptsOf(request)
  if (request.echo && prompts.some(({ type }) => type !== 'text')) {
    throw new ApiError('unsupported_parameter', "'echo' of a prompt in tokens is not supported.", { param: 'echo' })
  }
  if (request.echo && typeof request.logprobs === 'number') {
    throw new ApiError('unsupported_parameter', "'echo' with 'logprobs' is not supported.", { param: 'echo' })
  }
  return prompts.flatMap((prompt) =>
    repeated({ ...samplingOf(request), model: request.model, tenant, prompt, background: false }, request.n),
  )
}

function samplingOf(request: CompletionRequest): Omit<GenerationRequest, 'model' | 'tenant' | 'prompt' | 'background'> {
  return {
    ...toSampling(request),
    maxTokens: request.max_tokens ?? MAX_TOKENS,
    logprobs: request.logprobs ?? null,
    constraint: request.regex ? { type: 'regex', pattern: request.regex } : null,
  }
}

function headOf({ model, fingerprint }: StartEvent): Omit<Completion, 'choices'> {
  return {
    id: `cmpl-${uuidv7().replaceAll('-', '')}`,
    object: 'text_completion',
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprint,
  }
}

/** The answer as it comes. @throws ApiError if a generation fails, at the end of what it gave */
export async function* toPieces(
  events: AsyncIterable<Indexed>,
  request: CompletionRequest,
): AsyncGenerator<Completion> {
  const includeUsage = request.stream_options?.include_usage ?? false
  const noUsage = includeUsage ? { usage: null } : {}
  const prompts = promptsOf(request)
  const finished: FinishEvent[] = []
  const lengths = new Map<number, number>()
  let head: Omit<Completion, 'choices'> | undefined
  let last: Completion | undefined
  const piece = (index: number, text: string, rest: Partial<Choice> = {}): Completion => {
    if (!head) throw new ApiError('runner_failed', 'The runner gave text before it began.')
    lengths.set(index, (lengths.get(index) ?? 0) + text.length)
    return { ...head, choices: [{ index, text, logprobs: null, finish_reason: null, ...rest }], ...noUsage }
  }
  for await (const { index, event } of events) {
    switch (event.type) {
      case 'generation-start': {
        head ??= headOf(event)
        const prompt = prompts[Math.floor(index / request.n)]
        if (request.echo && prompt?.type === 'text') yield piece(index, prompt.text)
        break
      }
      case 'text-delta': {
        const offset = lengths.get(index) ?? 0
        const logprobs = typeof request.logprobs === 'number' ? toLogprobs(event.tokens ?? [], offset) : null
        yield piece(index, event.text, { logprobs })
        break
      }
      case 'generation-error':
        throw ApiError.fromDetail(event.error, 'runner_failed')
      case 'generation-finish':
        finished.push(event)
        last = {
          ...piece(index, '', { finish_reason: event.finishReason === 'length' ? 'length' : 'stop' }),
          timings: toTimings(event.timings),
        }
        yield last
    }
  }
  if (!last) throw new ApiError('runner_failed', 'The runner gave no answer.')
  const usage = toUsage(
    finished.map((event) => event.usage),
    prompts.length,
  )
  if (includeUsage || !request.stream) yield { ...last, choices: [], usage }
}

/** The whole answer. @throws ApiError if a generation fails */
export async function toWhole(events: AsyncIterable<Indexed>, request: CompletionRequest): Promise<Completion> {
  const choices: Choice[] = []
  let last: Completion | undefined
  for await (const piece of toPieces(events, request)) {
    last = piece
    for (const { index, text, logprobs, finish_reason } of piece.choices) {
      const before = choices[index] ?? { index, text: '', logprobs: null, finish_reason: null }
      choices[index] = {
        index,
        text: before.text + text,
        logprobs: join(before.logprobs, logprobs),
        finish_reason: finish_reason ?? before.finish_reason,
      }
    }
  }
  if (!last) throw new ApiError('runner_failed', 'The runner gave no answer.')
  return { ...last, choices }
}

/** @param from where the text of the first begins in the answer, in UTF-16 code units */
function toLogprobs(tokens: readonly TokenLogprob[], from: number): Logprobs {
  const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })
  let offset = from
  return {
    tokens: tokens.map(tokenKey),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map((token) => [tokenKey(token), token.logprob]))),
    text_offset: tokens.map(({ bytes }) => {
      const at = offset
      offset += decoder.decode(Uint8Array.from(bytes), { stream: true }).length
      return at
    }),
  }
}

function join(a: Logprobs | null, b: Logprobs | null): Logprobs | null {
  if (!a || !b) return a ?? b
  return {
    tokens: [...a.tokens, ...b.tokens],
    token_logprobs: [...a.token_logprobs, ...b.token_logprobs],
    top_logprobs: [...a.top_logprobs, ...b.top_logprobs],
    text_offset: [...a.text_offset, ...b.text_offset],
  }
}
