/**
 * What requests may take, counted here by the model's own tokenizer, so that what is over a limit or the context never
 * reaches a runner.
 */
import { ApiError } from '#protocol/error.ts'
import type { GenerationRequest, Prompt } from '#protocol/generation.ts'
import type { Runners } from '../runners/runners.ts'
import { type Counted, countTokens } from './token-counter.ts'

/** What an answer without a bound of its own may take under a limit of tokens. */
const UNBOUNDED_ANSWER = 1024

/**
 * Tokens of prompts and answers, and the requests with the bound that each answer then has.
 * @throws ApiError `context_length_exceeded`
 */
export async function reckon(
  runners: Runners,
  requests: readonly GenerationRequest[],
): Promise<{ tokens: number; bounded: GenerationRequest[] }> {
  // The answers of one request have one prompt, but for several bare ones.
  const prompts = new Map<string, Counted>()
  const bounded: GenerationRequest[] = []
  let sum = 0
  for (const request of requests) {
    const key = JSON.stringify(request.prompt)
    const counted = prompts.get(key) ?? (await counting(runners, request))
    prompts.set(key, counted)
    const left = leftIn(counted, request)
    const most = Math.min(left, request.maxTokens ?? UNBOUNDED_ANSWER)
    bounded.push({ ...request, maxTokens: most })
    sum += counted.tokens + most
  }
  return { tokens: sum, bounded }
}

/** Counts only what may be too long: no token has less than a byte. @throws ApiError `context_length_exceeded` */
export async function requireContext(runners: Runners, requests: readonly GenerationRequest[]): Promise<void> {
  const fit = new Set<string>()
  for (const request of requests) {
    const { model, prompt, maxTokens } = request
    const contextLength = await runners.contextLength(model)
    const key = JSON.stringify(prompt)
    if (contextLength === undefined || fit.has(key) || bytesOf(prompt) + (maxTokens ?? 1) <= contextLength) continue
    leftIn(await counting(runners, request), request)
    fit.add(key)
  }
}

async function counting(runners: Runners, { model, prompt, background }: GenerationRequest): Promise<Counted> {
  try {
    return await countTokens(runners, model, prompt)
  } catch (error) {
    // One that waits for a runner may take so much at most; the runner that comes will say if it is too long.
    const waits = background && error instanceof ApiError && error.code === 'runner_unavailable'
    if (waits) return { tokens: bytesOf(prompt), contextLength: Number.POSITIVE_INFINITY }
    throw error
  }
}

/** Tokens that the context has left for the answer. @throws ApiError if that is too few */
function leftIn({ tokens, contextLength }: Counted, { model, prompt, maxTokens }: GenerationRequest): number {
  const left = contextLength - tokens
  if (left >= 1 && (maxTokens ?? 0) <= left) return left
  const param = prompt.type === 'chat' ? 'messages' : 'prompt'
  const message = `The maximum context length of ${model} is ${contextLength} tokens; this request needs ${tokens} for its ${param} and ${maxTokens ?? 'at least 1'} for the answer.`
  throw new ApiError('context_length_exceeded', message, { param })
}

/** Of its text, with what a template puts around it: about as much as JSON does. */
function bytesOf(prompt: Prompt): number {
  return new TextEncoder().encode(JSON.stringify(prompt)).length
}
