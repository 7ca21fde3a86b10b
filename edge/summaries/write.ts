/** An abstractive summary: a language model writes it, piece by piece, and what the text does not support is left out. */
import { ApiError } from '#protocol/error.ts'
import type { ChatTurn, GenerationRequest } from '#protocol/generation.ts'
import type { SummaryAnswer, SummaryEvent, SummaryRequest, SummarySentence } from '#protocol/summaries.ts'
import { accountOf, admitTokens, Meter, renewing, settle } from '../accounts/admission.ts'
import { counterOf } from '../accounts/token-counter.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { logFailure } from '../http/log.ts'
import { Runners } from '../runners/runners.ts'
import { newUsageId, type UsageEntry } from '../storage/usage.ts'
import { abstract, boundsOf, type Reader } from './abstract.ts'
import { chunksOf } from './chunks.ts'
import { type Begun, summaryId } from './pick.ts'
import { compareByWords, extract } from './extract.ts'
import { inWordsOf } from './own-words.ts'
import type { SummaryLength } from './select.ts'
import { type Sentence, sentencesOf } from './sentences.ts'
import { Sources } from './support.ts'

/** One that was cut at its length is no sentence. */
const ENDED = /[.!?…。！？]["'”’»)]*$/u
/** As like the text as can be, and the same each time. */
const SAMPLING = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  typicalP: 1,
  repetitionPenalty: 1.1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: [],
  minTokens: 0,
  ignoreEos: false,
  logprobs: null,
  background: false,
  seed: 0,
  stop: [],
} satisfies Partial<GenerationRequest>
/** Nobody knows at the beginning how many generations it takes: what was set aside for a key is not settled by those told of. */
const UNKNOWN = 2 ** 31 - 1

/** @throws ApiError before anything is read */
export async function write(c: EdgeContext, request: SummaryRequest, sentences: readonly Sentence[]): Promise<Begun> {
  const runners = new Runners(c.env, c.get('requestId'))
  const model = request.model ?? (await anyChatModel(runners))
  const { count, contextLength } = await counterOf(runners, model)
  const tokensOf = (text: string) => count({ type: 'text', text })
  const account = accountOf(principalOf(c))
  const id = newUsageId()
  const { maxTokens, room } = boundsOf(request.length, contextLength)
  const headers = await admitTokens(c.env, account, id, async () => {
    const pieces = chunksOf(
      sentences.map(({ text }) => text),
      room,
      tokensOf,
    )
    return pieces.reduce((sum, piece) => sum + tokensOf(piece) + maxTokens, 0)
  })

  const stop = new AbortController()
  const signal = AbortSignal.any([c.req.raw.signal, stop.signal])
  const { owner, keyId } = account
  const route = c.req.path
  const meters: Meter[] = []
  const answer = async (messages: readonly ChatTurn[], of: string, maxTokens: number) => {
    const meter = new Meter(Date.now())
    const bill = { id: `${id}.${meters.length}`, request: id, of: UNKNOWN, keyId, route }
    meters.push(meter)
    const prompt = { type: 'chat' as const, messages: [...messages] }
    const constraint = inWordsOf(of, request.language)
    let text = ''
    for await (const event of await runners.generate(
      { ...SAMPLING, model, tenant: owner, prompt, maxTokens, constraint, bill },
      signal,
    )) {
      meter.take(event)
      if (event.type === 'generation-error') throw ApiError.fromDetail(event.error, 'runner_failed')
      if (event.type === 'text-delta') text += event.text
    }
    return text
  }
  const rows = (): UsageEntry[] =>
    meters.flatMap((meter, i) => meter.entry({ id: `${id}.${i}`, account, model, route }, Date.now()) ?? [])

  async function* written(): AsyncGenerator<SummaryEvent, SummaryAnswer> {
    const reservation = renewing(c.env, account, id)
    try {
      const reader: Reader = { contextLength, tokensOf, answer }
      const reading = abstract(sentences, request.length, reader)
      let step = await reading.next()
      for (; !step.done; step = await reading.next()) {
        yield { object: 'summary.progress', id: summaryId(id), ...step.value }
      }
      const { kept, unsupported, degraded } = supported(step.value, sentences, request.length, request.language)
      for (const [index, sentence] of kept.entries()) {
        yield { object: 'summary.sentence', id: summaryId(id), index, sentence }
      }
      const sum = (pick: (row: UsageEntry) => number) => rows().reduce((all, row) => all + pick(row), 0)
      const [prompt, completion] = [sum(({ promptTokens }) => promptTokens), sum((row) => row.completionTokens)]
      return {
        id: summaryId(id),
        object: 'summary',
        model,
        summary: kept.map(({ text }) => text).join(' '),
        sentences: kept,
        usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
        unsupported,
        ...(degraded ? { degraded } : {}),
      }
    } finally {
      // A reader who has gone, or a piece that failed, ends the others.
      stop.abort()
      reservation[Symbol.dispose]()
      c.executionCtx.waitUntil(
        settle(c.env, account, id, rows()).catch((error: unknown) =>
          logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, error),
        ),
      )
    }
  }
  return { headers, servedBy: 'runner', events: written(), stop: () => stop.abort() }
}

/** @throws ApiError if there is none */
async function anyChatModel(runners: Runners): Promise<string> {
  const model = (await runners.knownModels()).find(({ task }) => task === 'chat')
  if (!model) throw new ApiError('model_not_found', 'No runner here has a language model.', { param: 'model' })
  return model.id
}

/** Those of its sentences that the text supports, as many as were asked for; if there is none, the text's own. */
function supported(
  written: string,
  sentences: readonly Sentence[],
  length: SummaryLength,
  language: string,
): { kept: SummarySentence[]; unsupported: number; degraded?: true } {
  const sources = new Sources(sentences)
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' })
  const kept: SummarySentence[] = []
  let [unsupported, words] = [0, 0]
  for (const { text } of sentencesOf(written, language)) {
    if (kept.some((sentence) => sentence.text === text)) continue
    const from = ENDED.test(text) ? sources.of(text) : undefined
    if (!from) {
      unsupported++
      continue
    }
    words += [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).length
    const full = 'words' in length ? words > length.words : kept.length >= length.sentences
    if (full && kept.length > 0) break
    kept.push({ text, source: from.map(({ start, end }) => ({ start, end })) })
  }
  if (kept.length > 0) return { kept, unsupported }
  return {
    kept: extract(sentences, compareByWords(sentences), length, language).sentences,
    unsupported,
    degraded: true,
  }
}
