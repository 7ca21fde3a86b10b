/** The languages of a request as DeepL has them, for texts and for documents. */
import { ApiError } from '#protocol/error.ts'
import { baseOf, isTarget } from './languages.ts'
import { languagesOf, type Pair } from './pairs.ts'

export interface Languages {
  /** ISO 639-1; null: it is found out. */
  readonly source: string | null
  readonly target: string
}

/** @throws ApiError 400 for languages that there are not, or that are the same */
export function requireDeeplLanguages(
  { source_lang, target_lang }: { readonly source_lang?: string | undefined; readonly target_lang: string },
  pairs: readonly Pair[],
): Languages {
  const target = baseOf(target_lang)
  const source = source_lang === undefined ? null : baseOf(source_lang)
  if (!isTarget(target_lang) || !languagesOf(pairs, 'target').includes(target)) throw unsupported('target_lang')
  if (source !== null && !languagesOf(pairs, 'source').includes(source)) throw unsupported('source_lang')
  if (source === target) {
    throw new ApiError('invalid_value', 'Source and target language are equal.', { param: 'target_lang' })
  }
  return { source, target }
}

/** A glossary's dictionary is for one source. @throws ApiError 400 without one */
export function requireSource(source: string | null): string {
  if (source !== null) return source
  const message = 'Use of a glossary requires the source_lang parameter to be specified.'
  throw new ApiError('invalid_value', message, { param: 'source_lang' })
}

const unsupported = (param: string): ApiError =>
  new ApiError('invalid_value', `Value for '${param}' not supported.`, { param })
