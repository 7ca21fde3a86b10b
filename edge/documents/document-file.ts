/** A document's file, as it is sent and given back. */
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import { charactersOf } from '../translation/translate-texts.ts'
import { kindOf } from './kinds.ts'
import { DocumentError } from './open-document.ts'

/** @throws ApiError 400 for one that is not read here, 413 for one with too many words */
export function charactersIn(filename: string, bytes: Uint8Array): number {
  try {
    const { segments } = kindOf(filename).open(bytes)
    const length = segments.reduce((sum, { text }) => sum + text.length, 0)
    if (length > LIMITS.documentLength) {
      const message = `A document may have at most ${LIMITS.documentLength} characters, got ${length}.`
      throw new ApiError('request_too_large', message, { param: 'file' })
    }
    return segments.reduce((sum, { text }) => sum + charactersOf(text), 0)
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    throw new ApiError('invalid_value', `Invalid file data: ${error.message}.`, { param: 'file', cause: error })
  }
}

export function asFile(filename: string, bytes: ArrayBuffer): Response {
  return new Response(bytes, {
    headers: {
      'content-type': kindOf(filename).contentType,
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(filename)}`,
      'cache-control': 'no-store',
    },
  })
}
