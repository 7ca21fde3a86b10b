/** A caller's translations: within the limits of the key, written down with what they used. */
import { accountOf, admitTokens, renewing } from '../accounts/admission.ts'
import { settleAnswer } from '../accounts/settle-answer.ts'
import { type EdgeContext, mayCall, principalOf } from '../context.ts'
import { Runners } from '../runners/runners.ts'
import { authenticate } from '../sessions/authenticate.ts'
import { newUsageId } from '../storage/usage.ts'
import { addCharacters } from '../storage/translated-characters.ts'
import { CountedTranslations } from './counted-translations.ts'
import type { Pair } from './pairs.ts'
import { pairsFor } from './pairs-for.ts'
import { returned } from './returned.ts'
import {
  charactersOf,
  type Progress,
  type TextsRequest,
  type TranslatedText,
  translateTexts,
} from './translate-texts.ts'

/** Sentences that are kept in view of each; 1 is greedy. */
export type Beam = 1 | 4

/**
 * What the caller can have translated now.
 * @param model the one that is to translate, if they say which
 * @throws as `pairsFor`
 */
export function pairsHere(c: EdgeContext, model?: string): Promise<Pair[]> {
  const { owner } = principalOf(c)
  return pairsFor(c.env, new Runners(c.env, c.get('requestId')), { owner, model: model ?? null })
}

/** As `pairsHere`, on a route that is open to all: of nobody that is known those of the runners. @throws ApiError 401 too */
export async function openPairs(c: EdgeContext): Promise<Pair[]> {
  const principal = await authenticate(c)
  const owner = principal && mayCall(principal, 'translation') ? principal.owner : null
  return pairsFor(c.env, new Runners(c.env, c.get('requestId')), { owner, model: null })
}

export interface BegunTranslation {
  readonly events: AsyncGenerator<Progress, TranslatedText[]>
  /** Of the answer, as far as it has come. */
  readonly headers: () => Record<string, string>
  /** Nobody listens any more. */
  readonly stop: () => void
}

/** Sentences of a stream's batches: few at first, so that something is there soon. */
const growing = (before: number): number => Math.min(8 * 2 ** before, 32)

/**
 * What has been translated is written down before `events` end, whatever ends them.
 * @param isStreamed whether pieces are given to the caller as they come
 * @throws ApiError if the key's limits are in the way; `events` throw as `translateTexts`
 */
export async function beginTranslation(
  c: EdgeContext,
  request: TextsRequest,
  pairs: readonly Pair[],
  { beam, isStreamed }: { readonly beam: Beam; readonly isStreamed: boolean },
): Promise<BegunTranslation> {
  const runners = new Runners(c.env, c.get('requestId'))
  const account = accountOf(principalOf(c))
  const id = newUsageId()
  const characters = request.texts.reduce((sum, text) => sum + charactersOf(text), 0)
  // No more tokens are read and written together than there are characters, in any language that parts words by spaces.
  const limits = await admitTokens(c.env, account, id, async () => characters)
  const { alternatives } = request
  const options = { beam: Math.max(beam, alternatives + 1), alternatives }
  const stop = new AbortController()
  const counted = new CountedTranslations(runners, options, AbortSignal.any([c.req.raw.signal, stop.signal]))

  async function* translated(): AsyncGenerator<Progress, TranslatedText[]> {
    const reservation = renewing(c.env, account, id)
    let given = 0
    try {
      const work = translateTexts(request, pairs, (pair) => counted.by(pair), isStreamed ? growing : undefined)
      let step = await work.next()
      for (; !step.done; step = await work.next()) {
        if (isStreamed) given += step.value.characters
        yield step.value
      }
      given = characters
      return step.value
    } finally {
      stop.abort()
      reservation[Symbol.dispose]()
      // Also if whoever asked has gone.
      const written = Promise.all([
        addCharacters(c.env.DB, account.owner, given, Date.now()),
        settleAnswer(c, id, counted.used),
      ])
      c.executionCtx.waitUntil(written.catch(() => {}))
      await written
    }
  }
  const headers = () => ({
    ...limits,
    'cache-control': 'no-store',
    'x-served-by': counted.used.length > 0 ? 'runner' : 'edge',
    'openai-processing-ms': String(Date.now() - c.get('startedAt')),
  })
  return { events: translated(), headers, stop: () => stop.abort() }
}

/**
 * @returns the translations, with the answer's headers
 * @throws ApiError, NoSuchPair, MarkupError
 */
export async function translateFor(
  c: EdgeContext,
  request: TextsRequest,
  pairs: readonly Pair[],
  beam: Beam,
): Promise<{ translated: TranslatedText[]; headers: Record<string, string> }> {
  const { events, headers } = await beginTranslation(c, request, pairs, { beam, isStreamed: false })
  const translated = await returned(events)
  return { translated, headers: headers() }
}
