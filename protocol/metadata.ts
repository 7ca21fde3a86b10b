/** OpenAI's `metadata`: a few short strings that a caller hangs on an object. */
import * as v from 'valibot'
import { LIMITS } from './limits.ts'
import { textSchema } from './text.ts'

export const metadataSchema = v.pipe(
  v.record(
    v.pipe(textSchema, v.maxLength(LIMITS.metadataKeyLength)),
    v.pipe(textSchema, v.maxLength(LIMITS.metadataValueLength)),
  ),
  v.maxEntries(LIMITS.metadataEntries),
)
