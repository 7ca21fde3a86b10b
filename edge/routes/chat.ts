/** `POST /v1/chat/completions`: whole, or as it comes. Whoever stops listening stops the runner. */
import { type ChatRequest, chatCompletionSchema, chatRequestSchema } from '#protocol/chat.ts'
import { ApiError } from '#protocol/error.ts'
import type { GenerationEvent } from '#protocol/generation.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { configOf } from '../env.ts'
import { renderingOf, toChunks, toCompletion, toGenerationRequest } from '../generations/openai-chat.ts'
import { readBody } from '../http/body.ts'
import { eventStream } from '../http/event-stream.ts'
import { logFailure } from '../http/log.ts'
import { ClientGone, Runner } from '../runners/runner.ts'
import type { Operation } from './operation.ts'

const PATH = '/v1/chat/completions'

export const chatOperations: readonly Operation[] = [
  {
    method: 'POST',
    path: PATH,
    scope: 'chat',
    tag: 'Chat',
    summary: 'Answer a conversation',
    description:
      'OpenAI’s chat completions. With stream the answer comes as server-sent events, each a chat.completion.chunk, and ends with [DONE], or with one event that holds an error.',
    body: chatRequestSchema,
    answer: { description: 'The answer', schema: chatCompletionSchema },
    errors: [
      'context_length_exceeded',
      'model_not_found',
      'queue_full',
      'runner_failed',
      'runner_unavailable',
      'runner_timeout',
    ],
    example: { model: 'smollm2-135m-instruct', messages: [{ role: 'user', content: 'Hello' }] },
    handle: complete,
  },
]

async function complete(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, chatRequestSchema)
  const generation = toGenerationRequest(request, principalOf(c).owner)
  const stop = new AbortController()
  const runner = new Runner(configOf(c.env).runner, c.get('requestId'))
  const events = await runner.generate(generation, AbortSignal.any([c.req.raw.signal, stop.signal]))
  const response = request.stream
    ? await streamed(c, { request, events, stop })
    : c.json(await toCompletion(events, renderingOf(request)))
  response.headers.set('x-served-by', 'runner')
  response.headers.set('openai-processing-ms', String(Date.now() - c.get('startedAt')))
  response.headers.set('cache-control', 'no-store')
  return response
}

interface Streamed {
  request: ChatRequest
  events: AsyncIterable<GenerationEvent>
  stop: AbortController
}

function streamed(c: EdgeContext, { request, events, stop }: Streamed): Promise<Response> {
  const requestId = c.get('requestId')
  return eventStream(toChunks(events, renderingOf(request)), {
    onCancel: () => stop.abort(),
    onError(error) {
      if (error instanceof ApiError || error instanceof ClientGone) return
      logFailure({ requestId, method: 'POST', route: PATH }, error)
    },
  })
}
