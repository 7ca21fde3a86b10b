/** `POST /v1/completions`: whole, or as it comes. Whoever stops listening stops the runner. */
import { completionRequestSchema, completionSchema } from '#protocol/completions.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { answer } from '../generations/answer.ts'
import { toGenerationRequests, toPieces, toWhole } from '../generations/openai-completions.ts'
import { readBody } from '../http/body.ts'
import { idempotent, refuseKeyedStream } from '../http/idempotent.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

export const completionOperations: readonly Operation[] = [
  {
    method: 'POST',
    path: '/v1/completions',
    scope: 'chat',
    tag: 'Chat',
    summary: 'Go on with a text',
    description: 'OpenAI’s completions: no chat template, the text or the tokens as they are.',
    body: completionRequestSchema,
    answer: { description: 'The answer', schema: completionSchema },
    errors: [...GENERATION_ERRORS, 'idempotency_key_reused', 'request_in_flight'],
    example: { model: 'smollm2-135m-instruct', prompt: 'Call me Ishmael.' },
    handle: complete,
  },
]

async function complete(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, completionRequestSchema)
  refuseKeyedStream(c, request.stream)
  return idempotent(c, request, () =>
    answer(c, {
      requests: toGenerationRequests(request, principalOf(c).owner),
      stream: request.stream,
      pieces: (events) => toPieces(events, request),
      whole: (events) => toWhole(events, request),
    }),
  )
}
