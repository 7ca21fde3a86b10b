/** Metadata by key, of the kind that is expected; anything else is a GgufError that names the key. */
import type { GgufValue } from './gguf.ts'
import { GgufError } from './gguf-error.ts'

export type GgufMetadata = ReadonlyMap<string, GgufValue>

export function metadataString(metadata: GgufMetadata, key: string): string {
  const value = present(metadata, key)
  if (typeof value !== 'string') throw new GgufError('wrong_key_type', `${key} is no string`)
  return value
}

export function metadataNumber(metadata: GgufMetadata, key: string): number {
  const value = present(metadata, key)
  if (typeof value !== 'number') throw new GgufError('wrong_key_type', `${key} is no number`)
  return value
}

export function metadataStrings(metadata: GgufMetadata, key: string): readonly string[] {
  const value = present(metadata, key)
  if (!Array.isArray(value) || !value.every((element) => typeof element === 'string')) {
    throw new GgufError('wrong_key_type', `${key} is no list of strings`)
  }
  return value
}

export function metadataNumbers(metadata: GgufMetadata, key: string): readonly number[] {
  const value = present(metadata, key)
  if (!Array.isArray(value) || !value.every((element) => typeof element === 'number')) {
    throw new GgufError('wrong_key_type', `${key} is no list of numbers`)
  }
  return value
}

function present(metadata: GgufMetadata, key: string): GgufValue {
  const value = metadata.get(key)
  if (value === undefined) throw new GgufError('missing_key', `the metadata lacks ${key}`)
  return value
}
