/** `POST /v1/chat/completions`: whole, or as it comes. */
import { chatCompletionSchema, chatRequestSchema } from '#protocol/chat.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { answer } from '../generations/answer.ts'
import { repeated } from '../generations/fan-out.ts'
import { renderingOf, toChunks, toCompletion, toGenerationRequest } from '../generations/openai-chat.ts'
import { readBody } from '../http/body.ts'
import { idempotent, refuseKeyedStream } from '../http/idempotent.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

export const chatOperations: readonly Operation[] = [
  {
    method: 'POST',
    path: '/v1/chat/completions',
    scope: 'chat',
    tag: 'Chat',
    summary: 'Answer a conversation',
    description:
      'OpenAI’s chat completions. With stream the answer comes as server-sent events, each a chat.completion.chunk, and ends with [DONE], or with one event that holds an error.',
    body: chatRequestSchema,
    answer: { description: 'The answer', schema: chatCompletionSchema },
    errors: [...GENERATION_ERRORS, 'idempotency_key_reused', 'request_in_flight'],
    example: { model: 'smollm2-135m-instruct', messages: [{ role: 'user', content: 'Hello' }] },
    handle: complete,
  },
]

async function complete(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, chatRequestSchema)
  const rendering = renderingOf(request)
  refuseKeyedStream(c, request.stream)
  return idempotent(c, request, () =>
    answer(c, {
      requests: repeated(toGenerationRequest(request, principalOf(c).owner), rendering.n),
      stream: request.stream,
      pieces: (events) => toChunks(events, rendering),
      whole: (events) => toCompletion(events, rendering),
    }),
  )
}
