import { createHash } from 'node:crypto'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import type { RunnerModel } from '#protocol/generation.ts'

/** A model as it is known before it is loaded. */
export function describeModel(entry: CatalogueEntry, device: string): RunnerModel {
  return {
    id: entry.id,
    created: entry.created,
    ownedBy: entry.publisher,
    task: entry.task,
    contextLength: entry.context,
    fingerprint: `fp_${createHash('sha256').update(`${entry.file.sha256} ${device}`).digest('hex').slice(0, 12)}`,
    device,
  }
}
