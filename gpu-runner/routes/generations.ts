/** `POST /generations`: see `protocol/generation.ts`. A closed connection cancels the generation. */
import { randomInt } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ApiError, type ErrorCode } from '#protocol/error.ts'
import {
  type GenerationConstraint,
  type GenerationEvent,
  generationRequestSchema,
  type TokenLogprob,
} from '#protocol/generation.ts'
import type { ChatModel } from '../chat-model.ts'
import { type EndedGenerations, Tally } from '../ended-generations.ts'
import type { EngineEvent } from '../engine/engine.ts'
import { compileConstraint } from '../engine/grammar/grammar.ts'
import { GrammarError } from '../engine/grammar/grammar-error.ts'
import type { Metrics } from '../metrics.ts'
import { type AnswerPart, ToolCallParser } from '../tool-call-parser.ts'
import { Retelling } from './retelling.ts'
import { type Exchange, readValid } from './server.ts'

const MOST_SEED = 2 ** 48 - 1
/** A comment so often tells the edge that a request which waits has not been forgotten. */
const HEARTBEAT_MS = 10_000

/**
 * @param find the model of that name; throws ApiError if there is none, or not yet
 * @param ended takes what those with a bill have used
 */
export function generations(
  find: (model: string) => ChatModel,
  metrics: Metrics,
  ended: EndedGenerations,
): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const {
      model: name,
      prompt: asPrompt,
      maxTokens,
      seed,
      logprobs,
      constraint,
      resume,
      bill,
      ...asked
    } = await readValid(request, generationRequestSchema)
    const model = find(name)
    if (constraint) requireCompilable(constraint)
    const prompt = model.encode(asPrompt, maxTokens)
    model.requireTokens(
      asked.logitBias.map(([token]) => token),
      'logit_bias',
    )
    const sampling = {
      ...asked,
      seed: seed ?? randomInt(MOST_SEED),
      logprobs: logprobs ?? undefined,
      constraint: constraint ?? undefined,
      begun: resume?.tokens,
      // Bare text is gone on with, space and all; what is held to an expression matches it as it is.
      trimsSpace: model.addsSpace && asPrompt.type === 'chat' && constraint?.type !== 'regex',
    }
    const retelling = new Retelling(resume)
    const calls = constraint?.type === 'tools' ? new ToolCallParser() : undefined
    const send = (event: GenerationEvent) => response.write(`data: ${JSON.stringify(event)}\n\n`)
    const billed = bill && { bill, owner: asked.tenant, model: model.info.id, promptTokens: prompt.prompt.length }
    const tally = billed && new Tally(billed, Date.now())
    const { engine } = model
    const cancel = engine.submit({ ...prompt, ...sampling }, (event) => {
      follow(event)
      const used = tally?.take(event, Date.now())
      if (used) ended.add(used)
      if (event.type !== 'start' && event.type !== 'text') logEnd(request, name, event)
      const rendered = render(event, { model, promptTokens: prompt.prompt.length, calls, constraint })
      for (const told of retelling.tell(rendered, event.type === 'text' ? event.ids : [])) send(told)
      if (event.type !== 'start' && event.type !== 'text') response.end()
    })
    // Only what was taken is followed; its first event comes later.
    const follow = metrics.follow(name, prompt, engine.contextLength * engine.slots)
    const heartbeat = setInterval(() => response.write(': waiting\n\n'), HEARTBEAT_MS)
    response.once('close', () => {
      clearInterval(heartbeat)
      cancel()
    })
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
  }
}

/** One line for each request: numbers and names, nothing of what was said. */
function logEnd(
  request: IncomingMessage,
  model: string,
  event: Exclude<EngineEvent, { type: 'start' | 'text' }>,
): void {
  const line = { event: 'generation', request: request.headers['x-request-id'], model, end: event.type }
  if (event.type === 'error') {
    const level = event.refused ? 'info' : 'error'
    console.error(JSON.stringify({ level, ...line, error: event.message }))
    return
  }
  const more = event.type === 'finish' ? { reason: event.finishReason, ...event.usage, ...event.timings } : {}
  console.log(JSON.stringify({ level: 'info', ...line, ...more }))
}

/** A grammar is compiled again where it is used, in the engine's thread; here so that the answer is a refusal. */
function requireCompilable(constraint: GenerationConstraint): void {
  try {
    compileConstraint(constraint)
  } catch (cause) {
    if (!(cause instanceof GrammarError)) throw cause
    throw refusal(constraint, cause.message, cause.code === 'unsupported' ? 'unsupported_parameter' : 'invalid_value')
  }
}

function refusal({ type }: GenerationConstraint, why: string, code: ErrorCode = 'invalid_value'): ApiError {
  const param = PARAMS[type]
  return new ApiError(code, `Invalid '${param}': ${why}.`, { param })
}

/** Where the public API has a constraint. */
const PARAMS = {
  json_object: 'response_format',
  json_schema: 'response_format.json_schema.schema',
  regex: 'regex',
  tools: 'tools',
} as const

interface Answer {
  readonly model: ChatModel
  readonly promptTokens: number
  /** Where the answer may have calls. */
  readonly calls: ToolCallParser | undefined
  readonly constraint: GenerationConstraint | null
}

function* render(event: EngineEvent, answer: Answer): Iterable<GenerationEvent> {
  const { model, promptTokens, calls, constraint } = answer
  const { info } = model
  switch (event.type) {
    case 'start':
      yield { type: 'generation-start', model: info.id, fingerprint: info.fingerprint, promptTokens }
      break
    case 'text': {
      const tokens = event.tokens && { tokens: [...event.tokens] }
      if (calls) yield* calls.push(event.text).map((part) => renderPart(part, tokens))
      else yield { type: 'text-delta', text: event.text, ...tokens }
      break
    }
    case 'finish': {
      if (calls) yield* calls.flush().map((part) => renderPart(part))
      const { usage, timings } = event
      const finishReason = event.finishReason === 'stop' && calls && calls.calls > 0 ? 'tool-calls' : event.finishReason
      yield { type: 'generation-finish', finishReason, usage, timings }
      break
    }
    case 'error': {
      const failure = new ApiError('runner_failed', 'the model failed')
      const error = event.refused && constraint ? refusal(constraint, event.message) : failure
      yield { type: 'generation-error', error: error.detail }
    }
  }
}

/** @param tokens the log probabilities of a text; of a call there are none in OpenAI's API */
function renderPart(part: AnswerPart, tokens?: { tokens: TokenLogprob[] }): GenerationEvent {
  switch (part.type) {
    case 'text':
      return { type: 'text-delta', text: part.text, ...tokens }
    case 'call':
      return { type: 'tool-call-start', index: part.index, name: part.name }
    case 'arguments':
      return { type: 'tool-call-delta', index: part.index, arguments: part.text }
  }
}
