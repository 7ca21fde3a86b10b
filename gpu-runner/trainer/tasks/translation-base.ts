/** A published model that translates as one to go on from. */
import type { PublishedTranslation } from '#protocol/published-model.ts'
import { type StoredModel, storedModel, type TranslationFiles } from '../../pipelines/translation/stored-model.ts'

export interface TranslationBase extends StoredModel {
  readonly id: string
  readonly parts: PublishedTranslation['parts']
  readonly files: TranslationFiles
  /** Sentences that it is reminded of while it is tuned. */
  readonly rehearsal: readonly string[]
}

/** @throws OnnxError if the files are not those of such a model */
export const translationBase = (
  { id, parts }: PublishedTranslation,
  files: TranslationFiles,
  rehearsal: readonly string[] = [],
): TranslationBase => ({ id, parts, files, ...storedModel(parts, files), rehearsal })
