/** An extractive summary: by the sentences' vectors, which a runner makes; by their words, here, if there is no runner. */
import { ApiError, type ErrorCode } from '#protocol/error.ts'
import type { SummaryAnswer, SummaryEvent, SummaryRequest } from '#protocol/summaries.ts'
import { accountOf, admitTokens, renewing } from '../accounts/admission.ts'
import { countTokens } from '../accounts/token-counter.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { settleAnswer } from '../accounts/settle-answer.ts'
import { Runners } from '../runners/runners.ts'
import { newUsageId } from '../storage/usage.ts'
import { compareByModel, compareByWords, extract, piecesOf } from './extract.ts'
import type { Sentence } from './sentences.ts'

/** No runner can be asked now: sentences are compared here. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['runner_unavailable', 'runner_timeout', 'model_loading', 'queue_full'])
const DEFAULT_MODEL = 'text-embedding'

/** What is on its way to a summary; returns it. */
export interface Begun {
  readonly headers: Readonly<Record<string, string>>
  readonly servedBy: 'runner' | 'edge'
  events: AsyncGenerator<SummaryEvent, SummaryAnswer>
  /** Nobody listens any more. */
  stop(): void
}

/** @throws ApiError */
export async function pick(c: EdgeContext, request: SummaryRequest, sentences: readonly Sentence[]): Promise<Begun> {
  const { model = DEFAULT_MODEL } = request
  const pieces = piecesOf(sentences)
  const runners = new Runners(c.env, c.get('requestId'))
  const account = accountOf(principalOf(c))
  const id = newUsageId()
  const headers = await admitTokens(c.env, account, id, () => count(runners, model, pieces.flat()))
  const reservation = renewing(c.env, account, id)
  let used: { model: string; tokens: number } | undefined
  try {
    const embed = (inputs: string[]) =>
      runners.embeddings({ model, tenant: account.owner, inputs, dimensions: null }, c.req.raw.signal)
    const compared = await compareByModel(pieces, embed).catch((error: unknown) => {
      if (error instanceof ApiError && AWAY.has(error.code)) return undefined
      throw error
    })
    used = { model, tokens: compared?.tokens ?? 0 }
    const likeness = compared?.likeness ?? compareByWords(sentences)
    const answer: SummaryAnswer = {
      id: summaryId(id),
      object: 'summary',
      model,
      ...extract(sentences, likeness, request.length, request.language),
      usage: { prompt_tokens: used.tokens, completion_tokens: 0, total_tokens: used.tokens },
      ...(compared ? {} : { degraded: true }),
    }
    return { headers, servedBy: compared ? 'runner' : 'edge', events: told(answer), stop() {} }
  } finally {
    reservation[Symbol.dispose]()
    await settleAnswer(c, id, used ? [used] : [])
  }
}

export function summaryId(usageId: string): string {
  return `sum_${usageId.slice(usageId.indexOf('_') + 1)}`
}

async function* told(answer: SummaryAnswer): AsyncGenerator<SummaryEvent, SummaryAnswer> {
  for (const [index, sentence] of answer.sentences.entries()) {
    yield { object: 'summary.sentence', id: answer.id, index, sentence }
  }
  return answer
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
