/** `POST /v1/tokenize`, `POST /v1/detokenize`. */
import {
  detokenizeAnswerSchema,
  detokenizeRequestSchema,
  tokenizeAnswerSchema,
  tokenizeRequestSchema,
} from '#protocol/tokens.ts'
import type { EdgeContext } from '../context.ts'
import { toTurn } from '../generations/openai-chat.ts'
import { readBody } from '../http/body.ts'
import { Runners } from '../runners/runners.ts'
import type { Operation } from './operation.ts'

const common = {
  method: 'POST',
  scope: 'models',
  tag: 'Models',
  errors: ['context_length_exceeded', 'model_not_found', 'runner_unavailable'],
} as const

export const tokenOperations: readonly Operation[] = [
  {
    ...common,
    path: '/v1/tokenize',
    summary: 'Turn a text, or the messages of a chat, into tokens',
    body: tokenizeRequestSchema,
    answer: { description: 'The tokens', schema: tokenizeAnswerSchema },
    example: { model: 'smollm2-135m-instruct', prompt: 'Hello' },
    handle: tokenize,
  },
  {
    ...common,
    path: '/v1/detokenize',
    summary: 'Turn tokens into text',
    body: detokenizeRequestSchema,
    answer: { description: 'The text', schema: detokenizeAnswerSchema },
    example: { model: 'smollm2-135m-instruct', tokens: [19556] },
    handle: detokenize,
  },
]

async function tokenize(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, tokenizeRequestSchema)
  const input =
    'prompt' in request
      ? ({ type: 'text', text: request.prompt } as const)
      : ({ type: 'chat', messages: request.messages.map(toTurn) } as const)
  const { tokens, contextLength } = await runnerOf(c).tokens({ model: request.model, input })
  return c.json({ tokens, count: tokens.length, max_model_len: contextLength })
}

async function detokenize(c: EdgeContext): Promise<Response> {
  const { model, tokens } = await readBody(c.req.raw, detokenizeRequestSchema)
  const { text } = await runnerOf(c).tokens({ model, input: { type: 'decode', tokens } })
  return c.json({ prompt: text })
}

function runnerOf(c: EdgeContext): Runners {
  return new Runners(c.env, c.get('requestId'))
}
