/** A caller's translations: within the limits of the key, written down with what they used. */
import { accountOf, admitTokens, renewing } from '../accounts/admission.ts'
import { settleAnswer } from '../accounts/settle-answer.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { Runners } from '../runners/runners.ts'
import { newUsageId } from '../storage/usage.ts'
import { addCharacters } from '../storage/translated-characters.ts'
import { CountedTranslations } from './counted-translations.ts'
import { type Pair, pairsOf } from './pairs.ts'
import { type TextsRequest, type TranslatedText, translateTexts } from './translate-texts.ts'

/** Sentences that are kept in view of each; 1 is greedy. */
export type Beam = 1 | 4

/** As DeepL counts them: code points of the source. */
export const charactersOf = (text: string): number => [...text].length

/** What can be translated now. @throws ApiError if no runner is there */
export const pairsHere = async (c: EdgeContext): Promise<Pair[]> =>
  pairsOf(await new Runners(c.env, c.get('requestId')).knownModels())

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
