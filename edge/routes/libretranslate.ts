/** LibreTranslate's API: `/translate`, `/detect`, `/languages`, `/frontend/settings`. */
import { ApiError } from '#protocol/error.ts'
import {
  detectionsSchema,
  detectRequestSchema,
  type LibreAnswer,
  type LibreRequest,
  libreAnswerSchema,
  libreLanguagesSchema,
  libreRequestSchema,
  libreSettingsSchema,
} from '#protocol/libretranslate.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { EdgeContext } from '../context.ts'
import { DOCUMENT_KINDS } from '../documents/kinds.ts'
import { readFields } from '../http/body.ts'
import { type Detected, detectLanguages } from '../translation/detect-language.ts'
import { baseOf, nameOf } from '../translation/languages.ts'
import { beginTranslation, openPairs, pairsHere, translateFor } from '../translation/metered.ts'
import { languagesOf, type Pair } from '../translation/pairs.ts'
import { refusalOf } from '../translation/refusals.ts'
import type { TextsRequest, TranslatedText } from '../translation/translate-texts.ts'
import { streamTranslations } from '../translation/translation-stream.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

const common = { scope: 'translation', tag: 'Translation' } as const
const open = { scope: null, tag: 'Translation', method: 'GET' } as const
const PARAMETERS = { source: 'source', markup: 'format' }
/** Of a text, this many guesses. */
const MOST_DETECTIONS = 5

export const libreOperations: readonly Operation[] = [
  {
    ...common,
    method: 'POST',
    path: '/translate',
    summary: 'Translate a text, or several',
    description:
      'As LibreTranslate’s. Also as a form; the key may stand in the body as `api_key`. With `stream` as DeepL’s route has it.',
    body: libreRequestSchema,
    answer: { description: 'The translations', schema: libreAnswerSchema },
    errors: [...GENERATION_ERRORS, 'model_loading', 'request_too_large'],
    example: { q: 'Open the file.', source: 'auto', target: 'fr' },
    handle: translate,
  },
  {
    ...common,
    method: 'POST',
    path: '/detect',
    summary: 'Find out the language of a text',
    description: 'As LibreTranslate’s: the likeliest first. Works without a runner.',
    body: detectRequestSchema,
    answer: { description: 'Languages', schema: detectionsSchema },
    example: { q: 'Ouvrir le fichier' },
    async handle(c) {
      const { q } = await readFields(c.req.raw, detectRequestSchema, { most: LIMITS.bodyBytes })
      return c.json(detectLanguages(q).slice(0, MOST_DETECTIONS).map(toDetection))
    },
  },
  {
    ...open,
    path: '/languages',
    summary: 'List the languages, and what each can be translated into',
    description: 'As LibreTranslate’s; with a key also those of one’s own models.',
    answer: { description: 'The languages', schema: libreLanguagesSchema },
    errors: ['runner_unavailable'],
    async handle(c) {
      const pairs = await openPairs(c)
      return c.json(
        languagesOf(pairs, 'source').map((code) => ({
          code,
          name: nameOf(code),
          targets: pairs.filter(({ source }) => source === code).map(({ target }) => target),
        })),
      )
    },
  },
  {
    ...open,
    path: '/frontend/settings',
    summary: 'Read what a client of LibreTranslate has to know',
    description: 'As LibreTranslate’s.',
    answer: { description: 'The settings', schema: libreSettingsSchema },
    handle: (c) =>
      c.json({
        apiKeys: true,
        charLimit: LIMITS.bodyBytes,
        filesTranslation: true,
        frontendTimeout: 500,
        keyRequired: true,
        language: { source: { code: 'auto', name: 'Auto Detect' }, target: { code: 'fr', name: nameOf('fr') } },
        suggestions: false,
        supportedFilesFormat: DOCUMENT_KINDS.map((end) => `.${end}`),
      }),
  },
]

async function translate(c: EdgeContext): Promise<Response> {
  const request = await readFields(c.req.raw, libreRequestSchema, { most: LIMITS.bodyBytes, lists: [] })
  const pairs = await pairsHere(c, request.model)
  const texts = textsOf(request, pairs)
  const shape = <T>(items: readonly T[]): T | T[] => (typeof request.q === 'string' ? (items[0] as T) : [...items])
  const answerOf = (translated: readonly TranslatedText[]): LibreAnswer => ({
    translatedText: shape(translated.map(({ text }) => text)),
    ...(request.source === 'auto'
      ? { detectedLanguage: shape(translated.map(({ detected }) => toDetection(detected))) }
      : {}),
    ...(request.alternatives > 0
      ? { alternatives: shape(translated.map(({ alternatives }) => [...alternatives])) as string[] | string[][] }
      : {}),
  })
  try {
    if (request.stream) {
      const begun = await beginTranslation(c, texts, pairs, { beam: 4, isStreamed: true })
      return await streamTranslations(c, begun, answerOf)
    }
    const { translated, headers } = await translateFor(c, texts, pairs, 4)
    return Response.json(answerOf(translated), { headers })
  } catch (error) {
    throw refusalOf(error, PARAMETERS)
  }
}

/** ISO 639-1; of the source null if it is to be found out. @throws ApiError 400 for a language that there is not */
export function requireLanguages(
  { source, target }: Pick<LibreRequest, 'source' | 'target'>,
  pairs: readonly Pair[],
): { source: string | null; target: string } {
  if (!languagesOf(pairs, 'target').includes(baseOf(target))) throw unsupported('target', target)
  if (source !== 'auto' && !languagesOf(pairs, 'source').includes(baseOf(source))) throw unsupported('source', source)
  return { source: source === 'auto' ? null : baseOf(source), target: baseOf(target) }
}

/** @throws ApiError 400 for a language that there is not */
function textsOf(request: LibreRequest, pairs: readonly Pair[]): TextsRequest {
  const { q, format, alternatives } = request
  return {
    texts: typeof q === 'string' ? [q] : q,
    ...requireLanguages(request, pairs),
    split: format === 'html' ? 'punctuation' : 'lines',
    markup:
      format === 'html'
        ? {
            markup: 'html',
            ignoreTags: new Set(),
            splittingTags: new Set(),
            nonSplittingTags: new Set(),
            outlineDetection: true,
          }
        : null,
    preserveFormatting: false,
    alternatives,
    terms: new Map(),
  }
}

const unsupported = (param: string, language: string): ApiError =>
  new ApiError('invalid_value', `${language} is not supported`, { param })

const toDetection = ({ language, confidence }: Detected) => ({ confidence: Math.round(confidence * 100), language })
