/** What cannot be translated, as the caller is told. */
import { ApiError } from '#protocol/error.ts'
import { MarkupError } from './markup-tokens.ts'
import { NoSuchPair } from './translate-texts.ts'

/** @param names of the parameters, as the API has them */
export function refusalOf(error: unknown, names: { readonly source: string; readonly markup: string }): unknown {
  if (error instanceof NoSuchPair) {
    const message = `Value for '${names.source}' not supported: nothing here translates from '${error.source}' into this language.`
    return new ApiError('invalid_value', message, { param: names.source })
  }
  if (error instanceof MarkupError) {
    const message = `Tag handling parsing failed, please check input: ${error.message}.`
    return new ApiError('invalid_value', message, { param: names.markup })
  }
  return error
}
