/** A training job of a model that translates: what is tuned, and between which languages. */
import { BUNDLED_TRANSLATIONS } from '#models/bundled/bundled.ts'
import { ApiError } from '#protocol/error.ts'
import { isTranslation, type PublishedTranslation, publishedTranslationSchema } from '#protocol/published-model.ts'
import type { TrainingMethod } from '#protocol/training.ts'
import * as v from 'valibot'
import type { Bindings } from '../env.ts'
import { readModel } from '../storage/trained-models.ts'
import { isGiven } from './job-state.ts'

type Method = Extract<TrainingMethod, { type: 'translation' }>
type Asked = Method['translation']
type Side = 'source' | 'target'

/** What a model of this name begins with is new. */
const NEW = 'translation'
const OF_NEW_ONES = ['vocabulary_size', 'width', 'layers'] as const
const OF_TUNED_ONES = ['rehearsal'] as const

/** @throws ApiError 400 for languages that are missing or others than the model's, 404 for a model that is not there */
export async function translationOf(
  env: Bindings,
  owner: string,
  model: string,
  asked: Asked,
): Promise<{ method: Method; base: PublishedTranslation | null }> {
  const base = model === NEW ? null : await baseOf(env, owner, model)
  const unused = (base ? OF_NEW_ONES : OF_TUNED_ONES).find((name) => isGiven(asked.hyperparameters[name]))
  if (unused) {
    const param = `method.translation.hyperparameters.${unused}`
    const why = base ? `which '${model}' has already` : 'since a new model knows nothing yet'
    throw new ApiError('unsupported_parameter', `Unsupported: '${param}', ${why}.`, { param })
  }
  const [source_language, target_language] = [languageOf(asked, base, 'source'), languageOf(asked, base, 'target')]
  if (source_language === target_language) {
    const param = 'method.translation.target_language'
    throw new ApiError('invalid_value', `Invalid '${param}': it is the source language, '${target_language}'.`, {
      param,
    })
  }
  return { method: { type: 'translation', translation: { ...asked, source_language, target_language } }, base }
}

/** One that ships with Tandem, or the owner's. */
async function baseOf(env: Bindings, owner: string, model: string): Promise<PublishedTranslation> {
  const shipped = Object.hasOwn(BUNDLED_TRANSLATIONS, model) ? BUNDLED_TRANSLATIONS[model] : undefined
  if (shipped !== undefined) return v.parse(publishedTranslationSchema, shipped)
  const own = await readModel(env.DB, owner, model)
  if (own && isTranslation(own)) return own
  const known = [NEW, ...Object.keys(BUNDLED_TRANSLATIONS)].map((name) => `'${name}'`).join(', ')
  const message = `The model '${model.slice(0, 100)}' is none that can be tuned: expected ${known}, or one that you have trained to translate.`
  throw new ApiError('model_not_found', message, { param: 'model' })
}

function languageOf(asked: Asked, base: PublishedTranslation | null, side: Side): string {
  const [given, param] = [asked[`${side}_language`], `method.translation.${side}_language`]
  const own = base?.parts.languages[side]
  if (own === undefined) {
    if (given !== undefined) return given
    throw new ApiError('missing_required_parameter', `Missing required parameter: '${param}'.`, { param })
  }
  if (given === undefined || given === own) return own
  throw new ApiError('invalid_value', `Invalid '${param}': expected '${own}', the model's, got '${given}'.`, { param })
}
