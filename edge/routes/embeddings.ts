/** `POST /v1/embeddings`: OpenAI's, by a runner. */
import {
  type EmbeddingAnswer,
  type EmbeddingRequest,
  type EmbeddingsReply,
  embeddingAnswerSchema,
  embeddingRequestSchema,
} from '#protocol/embeddings.ts'
import { LIMITS } from '#protocol/limits.ts'
import { accountOf, admitTokens, renewing } from '../accounts/admission.ts'
import { countTokens } from '../accounts/token-counter.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readBody } from '../http/body.ts'
import { Runners } from '../runners/runners.ts'
import { newUsageId } from '../storage/usage.ts'
import { settleAnswer } from '../accounts/settle-answer.ts'
import { inputsOf, renderEmbeddings } from '../embeddings/openai-embeddings.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

export const embeddingOperation: Operation = {
  method: 'POST',
  path: '/v1/embeddings',
  scope: 'embeddings',
  tag: 'Embeddings',
  summary: 'Turn texts into vectors',
  description: 'Vectors of length 1: the product of two is how alike their texts are.',
  body: embeddingRequestSchema,
  answer: { description: 'The vectors, in order', schema: embeddingAnswerSchema },
  errors: [...GENERATION_ERRORS, 'model_loading'],
  example: { model: 'text-embedding', input: ['A cat sits on the mat.', 'Stock markets fell.'] },
  handle: embed,
}

async function embed(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, embeddingRequestSchema, { most: LIMITS.embeddingBodyBytes })
  const runners = new Runners(c.env, c.get('requestId'))
  const principal = principalOf(c)
  const account = accountOf(principal)
  const id = newUsageId()
  const inputs = inputsOf(request)
  const headers = await admitTokens(c.env, account, id, () => count(runners, request.model, inputs))
  const reservation = renewing(c.env, account, id)
  let used: EmbeddingsReply | undefined
  try {
    const asked = { model: request.model, tenant: account.owner, inputs, dimensions: request.dimensions ?? null }
    const reply = await runners.embeddings(asked, c.req.raw.signal)
    used = reply
    const answer: EmbeddingAnswer = renderEmbeddings(reply, inputs.length, request.encoding_format)
    return new Response(JSON.stringify(answer), {
      headers: {
        ...headers,
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-served-by': 'runner',
        'openai-processing-ms': String(Date.now() - c.get('startedAt')),
      },
    })
  } finally {
    reservation[Symbol.dispose]()
    await settleAnswer(c, id, used ? [used] : [])
  }
}

type Inputs = ReturnType<typeof inputsOf>

async function count(runners: Runners, model: EmbeddingRequest['model'], inputs: Inputs): Promise<number> {
  let sum = 0
  for (const input of inputs) {
    const prompt =
      typeof input === 'string' ? { type: 'text' as const, text: input } : { type: 'tokens' as const, tokens: input }
    sum += (await countTokens(runners, model, prompt)).tokens
  }
  return sum
}
