/** `POST /generations`: see `protocol/generation.ts`. A closed connection cancels the generation. */
import { randomInt } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import { type GenerationEvent, generationRequestSchema } from '#protocol/generation.ts'
import type { ChatModel } from '../chat-model.ts'
import type { EngineEvent } from '../engine/engine.ts'
import type { Metrics } from '../metrics.ts'
import { type Exchange, readJson } from './server.ts'

const MOST_SEED = 2 ** 48 - 1
/** A comment so often tells the edge that a request which waits has not been forgotten. */
const HEARTBEAT_MS = 10_000

/** @param find the model of that name; throws ApiError if there is none, or not yet */
export function generations(
  find: (model: string) => ChatModel,
  metrics: Metrics,
): (exchange: Exchange) => Promise<void> {
  return async ({ request, response }) => {
    const parsed = v.safeParse(generationRequestSchema, await readJson(request))
    if (!parsed.success) {
      const [issue] = parsed.issues
      throw new ApiError('invalid_value', issue.message, { param: v.getDotPath(issue) ?? undefined })
    }
    const { model: name, prompt: asPrompt, maxTokens, seed, logprobs, ...asked } = parsed.output
    const model = find(name)
    const prompt = model.encode(asPrompt, maxTokens)
    const sampling = { ...asked, seed: seed ?? randomInt(MOST_SEED), logprobs: logprobs ?? undefined }
    const send = (event: GenerationEvent) => response.write(`data: ${JSON.stringify(event)}\n\n`)
    const { engine } = model
    const cancel = engine.submit({ ...prompt, ...sampling }, (event) => {
      follow(event)
      if (event.type === 'error') logFailure(request, event.message)
      const rendered = render(event, model, prompt.prompt.length)
      if (rendered) send(rendered)
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

function logFailure(request: IncomingMessage, reason: string): void {
  console.error(JSON.stringify({ level: 'error', request: request.headers['x-request-id'], error: reason }))
}

function render(event: EngineEvent, { info }: ChatModel, promptTokens: number): GenerationEvent | undefined {
  switch (event.type) {
    case 'start':
      return { type: 'generation-start', model: info.id, fingerprint: info.fingerprint, promptTokens }
    case 'text':
      return { type: 'text-delta', text: event.text, ...(event.tokens && { tokens: [...event.tokens] }) }
    case 'finish': {
      const { finishReason, usage, timings } = event
      return { type: 'generation-finish', finishReason, usage, timings }
    }
    case 'error':
      return { type: 'generation-error', error: new ApiError('runner_failed', 'the model failed').detail }
    case 'cancelled':
      return undefined
  }
}
