/** `POST /v1/summaries`: by the sentences' vectors, which a runner makes; by their words, here, if there is no runner. */
import { ApiError, type ErrorCode } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import {
  type SummaryAnswer,
  type SummaryRequest,
  summaryAnswerSchema,
  summaryRequestSchema,
} from '#protocol/summaries.ts'
import { accountOf, admitTokens, renewing } from '../accounts/admission.ts'
import { countTokens } from '../accounts/token-counter.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { settleAnswer } from '../embeddings/settle-answer.ts'
import { readBody } from '../http/body.ts'
import { Runners } from '../runners/runners.ts'
import { newUsageId } from '../storage/usage.ts'
import { compareByModel, compareByWords, extract, piecesOf } from '../summaries/extract.ts'
import { type Sentence, sentencesOf } from '../summaries/sentences.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

export const summaryOperation: Operation = {
  method: 'POST',
  path: '/v1/summaries',
  scope: 'summaries',
  tag: 'Summaries',
  summary: 'Shorten a text',
  description: 'To its own sentences, each with its place in the text. Without a runner marked `degraded`.',
  body: summaryRequestSchema,
  answer: { description: 'The summary', schema: summaryAnswerSchema },
  errors: [...GENERATION_ERRORS, 'model_loading', 'not_implemented'],
  example: { input: 'A long text. It has many sentences. Some matter more than others.', length: { sentences: 1 } },
  handle: summarise,
}

/** No runner can be asked now: sentences are compared here. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['runner_unavailable', 'runner_timeout', 'model_loading', 'queue_full'])

async function summarise(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, summaryRequestSchema)
  if (request.style === 'abstractive') {
    throw new ApiError(
      'not_implemented',
      "Summaries in words of their own are not made here yet; ask for 'extractive'.",
      {
        param: 'style',
      },
    )
  }
  const sentences = readSentences(request)
  const pieces = piecesOf(sentences)
  const runners = new Runners(c.env, c.get('requestId'))
  const account = accountOf(principalOf(c))
  const id = newUsageId()
  const headers = await admitTokens(c.env, account, id, () => count(runners, request.model, pieces.flat()))
  const reservation = renewing(c.env, account, id)
  let used: { model: string; tokens: number } | undefined
  try {
    const embed = (inputs: string[]) =>
      runners.embeddings({ model: request.model, tenant: account.owner, inputs, dimensions: null }, c.req.raw.signal)
    const compared = await compareByModel(pieces, embed).catch((error: unknown) => {
      if (error instanceof ApiError && AWAY.has(error.code)) return undefined
      throw error
    })
    used = { model: request.model, tokens: compared?.tokens ?? 0 }
    const likeness = compared?.likeness ?? compareByWords(sentences)
    const answer: SummaryAnswer = {
      id: `sum_${id.slice(id.indexOf('_') + 1)}`,
      object: 'summary',
      model: request.model,
      ...extract(sentences, likeness, request.length, request.language),
      usage: { prompt_tokens: used.tokens, completion_tokens: 0, total_tokens: used.tokens },
      ...(compared ? {} : { degraded: true }),
    }
    return Response.json(answer, {
      headers: {
        ...headers,
        'cache-control': 'no-store',
        'x-served-by': compared ? 'runner' : 'edge',
        'openai-processing-ms': String(Date.now() - c.get('startedAt')),
      },
    })
  } finally {
    reservation[Symbol.dispose]()
    await settleAnswer(c, id, used)
  }
}

function readSentences({ input, language }: SummaryRequest): Sentence[] {
  let sentences: Sentence[]
  try {
    sentences = sentencesOf(input, language)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ApiError('invalid_value', `Invalid 'language': '${language}' is none.`, { param: 'language', cause })
  }
  const { length } = sentences
  if (length > 0 && length <= LIMITS.summaryInputSentences) return sentences
  const message = `Invalid 'input': expected 1 to ${LIMITS.summaryInputSentences} sentences, got ${length}.`
  throw new ApiError('invalid_value', message, { param: 'input' })
}

/** Of all, none if nobody is there who would compute them. */
async function count(runners: Runners, model: string, texts: readonly string[]): Promise<number> {
  let sum = 0
  try {
    for (const text of texts) sum += (await countTokens(runners, model, { type: 'text', text })).tokens
  } catch (error) {
    if (error instanceof ApiError && AWAY.has(error.code)) return 0
    throw error
  }
  return sum
}
