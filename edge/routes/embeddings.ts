/** `POST /v1/embeddings`: OpenAI's, by a runner. */
import {
  type EmbeddingAnswer,
  type EmbeddingRequest,
  embeddingAnswerSchema,
  embeddingRequestSchema,
} from '#protocol/embeddings.ts'
import { LIMITS } from '#protocol/limits.ts'
import { accountOf, admitTokens, renewing, settle } from '../accounts/admission.ts'
import { record } from '../accounts/ledger.ts'
import { countTokens } from '../accounts/token-counter.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readBody } from '../http/body.ts'
import { logFailure } from '../http/log.ts'
import { Runners } from '../runners/runners.ts'
import { newUsageId, type UsageEntry } from '../storage/usage.ts'
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
  let used: UsageEntry[] = []
  try {
    const asked = { model: request.model, tenant: account.owner, inputs, dimensions: request.dimensions ?? null }
    const reply = await runners.embeddings(asked, c.req.raw.signal)
    used = [
      {
        id: `${id}.0`,
        owner: account.owner,
        keyId: account.keyId,
        model: reply.model,
        route: c.req.path,
        promptTokens: reply.tokens,
        completionTokens: 0,
        cachedTokens: 0,
        startedAt: c.get('startedAt'),
        endedAt: Date.now(),
        outcome: 'completed',
      },
    ]
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
    writeDown(c, id, used)
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

/** After the answer: at once where a limit has to know it, else with what else is answered in this moment. */
function writeDown(c: EdgeContext, id: string, used: readonly UsageEntry[]): void {
  const account = accountOf(principalOf(c))
  if (account.limits === null) {
    for (const entry of used) record(c, entry)
    return
  }
  const requestId = c.get('requestId')
  c.executionCtx.waitUntil(
    settle(c.env, account, id, used).catch((error: unknown) =>
      logFailure({ requestId, method: c.req.method, route: c.req.routePath }, error),
    ),
  )
}
