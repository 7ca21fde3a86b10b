/** The models that Tandem knows, one JSON file each. The first of a task is its default. */
import * as v from 'valibot'
import { type CatalogueEntry, catalogueEntrySchema } from './schema.ts'
import smollm2 from './smollm2-135m-instruct.json' with { type: 'json' }
import textEmbedding from './text-embedding.json' with { type: 'json' }

const entries = v.parse(v.array(catalogueEntrySchema), [smollm2, textEmbedding])

export function catalogue(): readonly CatalogueEntry[] {
  return entries
}

export function defaultModel(task: CatalogueEntry['task']): CatalogueEntry {
  const entry = entries.find((candidate) => candidate.task === task)
  if (!entry) throw new RangeError(`the catalogue has no model for ${task}`)
  return entry
}
