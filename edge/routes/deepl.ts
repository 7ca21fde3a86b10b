/** DeepL's API for texts: `/v2/translate`, `/v2/languages`, `/v2/usage`. */
import {
  type DeeplAnswer,
  type DeeplRequest,
  deeplAnswerSchema,
  deeplLanguagesQuerySchema,
  deeplLanguagesSchema,
  deeplPairsSchema,
  deeplRequestSchema,
  deeplUsageSchema,
} from '#protocol/deepl.ts'
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { fieldsOf, readBytes, readFields } from '../http/body.ts'
import { validate } from '../http/validate.ts'
import { readCharacters } from '../storage/translated-characters.ts'
import { requireDeeplLanguages, requireSource } from '../translation/deepl-languages.ts'
import { termsFor } from '../translation/glossary-of.ts'
import type { Terms } from '../translation/glossary-terms.ts'
import { nameOf, targetsOf } from '../translation/languages.ts'
import { beginTranslation, pairsHere, translateFor } from '../translation/metered.ts'
import { languagesOf, type Pair } from '../translation/pairs.ts'
import { refusalOf } from '../translation/refusals.ts'
import { charactersOf, type TextsRequest, type TranslatedText } from '../translation/translate-texts.ts'
import { streamTranslations } from '../translation/translation-stream.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

const common = { scope: 'translation', tag: 'Translation' } as const
/** What DeepL answers where there is no limit of characters. */
const NO_LIMIT = 1_000_000_000_000
/** Of a query that comes in a body. */
const MOST_QUERY_BYTES = 1 << 10
const PARAMETERS = { source: 'source_lang', markup: 'tag_handling' }

export const deeplOperations: readonly Operation[] = [
  {
    ...common,
    method: 'POST',
    path: '/v2/translate',
    summary: 'Translate texts',
    description:
      'As DeepL’s. Also as a form. With `stream` it comes as server-sent events: a `translation.piece` each, the answer, [DONE].',
    body: deeplRequestSchema,
    answer: { description: 'The translations, in order', schema: deeplAnswerSchema },
    errors: [...GENERATION_ERRORS, 'model_loading', 'request_too_large'],
    example: { text: ['Open the file.'], target_lang: 'FR' },
    handle: translate,
  },
  {
    ...common,
    method: 'GET',
    path: '/v2/languages',
    summary: 'List the languages that can be translated',
    description: 'As DeepL’s.',
    query: deeplLanguagesQuerySchema,
    answer: { description: 'The languages', schema: deeplLanguagesSchema },
    errors: ['runner_unavailable'],
    async handle(c) {
      // DeepL's Python client puts it into a body.
      const fields = await fieldsOf(await readBytes(c.req.raw, MOST_QUERY_BYTES), c.req.header('content-type') ?? '')
      const { type } = validate(deeplLanguagesQuerySchema, { ...(fields as object | undefined), ...c.req.query() })
      const languages = languagesOf(await pairsHere(c), type)
      if (type === 'source') {
        return c.json(languages.map((language) => ({ language: language.toUpperCase(), name: nameOf(language) })))
      }
      return c.json(languages.flatMap(targetsOf).map((target) => ({ ...target, supports_formality: false })))
    },
  },
  {
    ...common,
    method: 'GET',
    path: '/v2/usage',
    summary: 'Read how much was translated this month',
    description: 'As DeepL’s; no key has a limit of characters.',
    answer: { description: 'Characters of the texts', schema: deeplUsageSchema },
    async handle(c) {
      const count = await readCharacters(c.env.DB, principalOf(c).owner, Date.now())
      return c.json({ character_count: count, character_limit: NO_LIMIT })
    },
  },
  {
    ...common,
    method: 'GET',
    path: '/v2/glossary-language-pairs',
    summary: 'List the pairs of languages that glossaries can be for',
    description: 'As DeepL’s.',
    answer: { description: 'The pairs', schema: deeplPairsSchema },
    errors: ['runner_unavailable'],
    async handle(c) {
      const pairs = await pairsHere(c)
      return c.json({
        supported_languages: pairs.map(({ source, target }) => ({ source_lang: source, target_lang: target })),
      })
    },
  },
]

async function translate(c: EdgeContext): Promise<Response> {
  const request = await readFields(c.req.raw, deeplRequestSchema, {
    most: LIMITS.deeplBodyBytes,
    lists: ['text', 'custom_instructions'],
  })
  const beam = request.model_type === 'latency_optimized' ? 1 : 4
  const pairs = await pairsHere(c, request.model)
  const texts = textsOf(request, pairs)
  const terms = await termsOf(c, request, texts)
  const answerOf = (translated: readonly TranslatedText[]): DeeplAnswer => ({
    translations: translated.map(({ text, detected }, i) => ({
      detected_source_language: detected.language.toUpperCase(),
      text,
      ...(request.show_billed_characters ? { billed_characters: charactersOf(request.text[i] ?? '') } : {}),
      ...(request.model_type ? { model_type_used: beam === 1 ? 'latency_optimized' : 'quality_optimized' } : {}),
    })),
  })
  try {
    if (request.stream) {
      const begun = await beginTranslation(c, { ...texts, terms }, pairs, { beam, isStreamed: true })
      return await streamTranslations(c, begun, answerOf)
    }
    const { translated, headers } = await translateFor(c, { ...texts, terms }, pairs, beam)
    return Response.json(answerOf(translated), { headers })
  } catch (error) {
    throw refusalOf(error, PARAMETERS)
  }
}

/** What the request's glossaries have for its languages. @throws ApiError 400 or 404 */
async function termsOf(
  c: EdgeContext,
  { glossary_id: one, glossary_ids: several }: DeeplRequest,
  { source, target }: Omit<TextsRequest, 'terms'>,
): Promise<Terms> {
  if (one !== undefined && several.length > 0) {
    throw new ApiError('invalid_value', "'glossary_id' and 'glossary_ids' do not go together.", {
      param: 'glossary_ids',
    })
  }
  const ids = one === undefined ? several : [one]
  if (ids.length === 0) return new Map()
  return termsFor(c, ids, requireSource(source), target)
}

/** @throws ApiError 400 for languages that there are not, or that are the same */
function textsOf(request: DeeplRequest, pairs: readonly Pair[]): Omit<TextsRequest, 'terms'> {
  const markup = request.tag_handling ?? null
  const split = request.split_sentences ?? (markup === 'html' ? 'nonewlines' : '1')
  return {
    texts: request.text,
    ...requireDeeplLanguages(request, pairs),
    split: split === '1' ? 'lines' : split === '0' ? 'none' : 'punctuation',
    markup: markup && {
      markup,
      ignoreTags: new Set(request.ignore_tags),
      splittingTags: new Set(request.splitting_tags),
      nonSplittingTags: new Set(request.non_splitting_tags),
      outlineDetection: request.outline_detection ?? true,
    },
    preserveFormatting: request.preserve_formatting ?? false,
    alternatives: 0,
  }
}
