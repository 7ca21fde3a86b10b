/** Whose API an address belongs to: each has its own shape of an error, and its own status for some. */
import type { ApiError } from '#protocol/error.ts'

export type Dialect = 'openai' | 'deepl' | 'libretranslate'

const LIBRE = /^\/(?:translate|translate_file|detect|languages|frontend\/settings|download_file\/[^/]*)$/

export function dialectOf(path: string): Dialect {
  if (/^\/v[23]\//.test(path)) return 'deepl'
  return LIBRE.test(path) ? 'libretranslate' : 'openai'
}

export function statusIn(dialect: Dialect, { code, status }: ApiError): number {
  if (dialect === 'openai') return status
  // Both say so of a key that is not good, or none.
  if (status === 401) return 403
  return dialect === 'deepl' && code === 'insufficient_quota' ? 456 : status
}

export function bodyIn(dialect: Dialect, { detail, message }: ApiError): object {
  if (dialect === 'deepl') return { message }
  return { error: dialect === 'libretranslate' ? message : detail }
}
