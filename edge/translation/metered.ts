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
import { type TextsRequest, type TranslatedText, translateTexts } from './translate-texts.ts'

/** Sentences that are kept in view of each; 1 is greedy. */
export type Beam = 1 | 4

/** As DeepL counts them: code points of the source. */
export const charactersOf = (text: string): number => [...text].length

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
  const runners = new Runners(c.env, c.get('requestId'))
  const account = accountOf(principalOf(c))
  const id = newUsageId()
  const characters = request.texts.reduce((sum, text) => sum + charactersOf(text), 0)
  // No more tokens are read and written together than there are characters, in any language that parts words by spaces.
  const limits = await admitTokens(c.env, account, id, async () => characters)
  const reservation = renewing(c.env, account, id)
  const { alternatives } = request
  const options = { beam: Math.max(beam, alternatives + 1), alternatives }
  const counted = new CountedTranslations(runners, options, c.req.raw.signal)
  try {
    const translated = await translateTexts(request, pairs, (pair) => counted.by(pair))
    await addCharacters(c.env.DB, account.owner, characters, Date.now())
    return {
      translated,
      headers: {
        ...limits,
        'cache-control': 'no-store',
        'x-served-by': counted.used.length > 0 ? 'runner' : 'edge',
        'openai-processing-ms': String(Date.now() - c.get('startedAt')),
      },
    }
  } finally {
    reservation[Symbol.dispose]()
    await settleAnswer(c, id, counted.used)
  }
}
