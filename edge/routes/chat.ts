import type { Operation } from './operation.ts'
import { chatCompletionSchema, chatRequestSchema } from '#protocol/chat.ts'
import { configOf } from '../env.ts'
import { toChunks, toCompletion, toGenerationRequest } from '../generations/openai-chat.ts'
import { readBody } from '../http/body.ts'
import { eventStream } from '../http/event-stream.ts'
import { logFailure } from '../http/log.ts'
import { concealed } from '../http/render-error.ts'
import { principalOf } from '../context.ts'
import { Runner } from '../runners/runner.ts'

const PATH = '/v1/chat/completions'

export const chatOperations: readonly Operation[] = [
  {
    method: 'POST',
    path: PATH,
    scope: 'chat',
    tag: 'Chat',
    summary: 'Answer a conversation',
    description:
      'OpenAI’s chat completions. With `stream: true` the answer comes as server-sent events, each a `chat.completion.chunk`, and ends with `data: [DONE]`, or with one event that holds an error.',
    body: chatRequestSchema,
    answer: { description: 'The answer', schema: chatCompletionSchema },
    errors: ['context_length_exceeded', 'model_not_found', 'queue_full', 'runner_failed', 'runner_unavailable', 'runner_timeout'],
    example: { model: 'smollm2-135m-instruct', messages: [{ role: 'user', content: 'Hello' }] },
    async handle(c) {
      const request = await readBody(c.req.raw, chatRequestSchema)
      const stop = new AbortController()
      const signal = AbortSignal.any([c.req.raw.signal, stop.signal])
      const runner = new Runner(configOf(c.env).runner, c.get('requestId'))
      const events = await runner.generate(toGenerationRequest(request, principalOf(c).owner), signal)
      const headers = () => ({ 'x-served-by': 'runner', 'openai-processing-ms': String(Date.now() - c.get('startedAt')) })
      if (!request.stream) return c.json(await toCompletion(events), 200, headers())
      const response = eventStream(toChunks(events, request.stream_options?.include_usage ?? false), {
        onCancel: () => stop.abort(),
        onError(error) {
          if (concealed(error) !== error) logFailure({ requestId: c.get('requestId'), method: 'POST', route: PATH }, error)
        },
      })
      for (const [name, value] of Object.entries(headers())) response.headers.set(name, value)
      return response
    },
  },
]
