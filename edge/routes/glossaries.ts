/** `/v2/glossaries`: DeepL's, for one pair of languages each. */
import { type Multilingual, glossaryListSchema, glossaryRequestSchema, glossarySchema } from '#protocol/glossaries.ts'
import { LIMITS } from '#protocol/limits.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readFields } from '../http/body.ts'
import { idempotencyOf } from '../http/idempotency-of.ts'
import { listGlossaries, newGlossary, removeGlossary, requireRoomForGlossary } from '../storage/glossaries.ts'
import { once } from '../storage/idempotency.ts'
import { readEntries, toTsv } from '../translation/glossary-entries.ts'
import { dictionaryOf, glossaryOf, noGlossary } from '../translation/glossary-of.ts'
import type { Operation } from './operation.ts'

const PATH = '/v2/glossaries'
const common = { scope: 'translation', tag: 'Translation' } as const

export const glossaryOperations: readonly Operation[] = [
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Make a glossary',
    description: 'As DeepL’s. Also as a form.',
    body: glossaryRequestSchema,
    answer: { description: 'The glossary', schema: glossarySchema },
    errors: ['insufficient_quota', 'idempotency_key_reused'],
    example: {
      name: 'Desktop',
      source_lang: 'en',
      target_lang: 'fr',
      entries: 'window\tfenêtre',
      entries_format: 'tsv',
    },
    handle: create,
  },
  {
    ...common,
    method: 'GET',
    path: PATH,
    summary: 'List the glossaries that are for one pair of languages',
    answer: { description: 'The glossaries', schema: glossaryListSchema },
    async handle(c) {
      const glossaries = await listGlossaries(c.env.DB, principalOf(c).owner)
      return c.json({ glossaries: glossaries.flatMap((one) => toBilingual(one) ?? []) })
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}`,
    summary: 'Read about a glossary',
    answer: { description: 'The glossary', schema: glossarySchema },
    errors: ['not_found'],
    handle: async (c) => c.json(await bilingualOf(c)),
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/entries`,
    summary: 'Read a glossary',
    answer: { description: 'Its entries', contentType: 'text/tab-separated-values' },
    errors: ['not_found'],
    async handle(c) {
      const glossary = await bilingualOf(c)
      const { entries } = await dictionaryOf(c, glossary, glossary.source_lang, glossary.target_lang)
      return c.body(toTsv(entries), 200, { 'content-type': 'text/tab-separated-values; charset=utf-8' })
    },
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{id}`,
    summary: 'Delete a glossary',
    answer: { description: 'It is deleted' },
    errors: ['not_found'],
    handle: remove,
  },
]

async function create(c: EdgeContext): Promise<Response> {
  const request = await readFields(c.req.raw, glossaryRequestSchema, { most: LIMITS.bodyBytes })
  const { name, ...dictionary } = request
  const { source_lang: source, target_lang: target } = dictionary
  const { owner } = principalOf(c)
  const now = Date.now()
  const entries = readEntries(dictionary)
  await requireRoomForGlossary(c.env.DB, owner)
  const { statements, glossary } = newGlossary(c.env.DB, {
    owner,
    name,
    now,
    dictionaries: [{ source, target, entries }],
  })
  return c.json(await once(c.env.DB, idempotencyOf(c, request, now), statements, toBilingual(glossary)), 201)
}

/** Of both versions. */
export async function remove(c: EdgeContext): Promise<Response> {
  const { glossary_id: id } = await glossaryOf(c)
  await removeGlossary(c.env.DB, id)
  return c.body(null, 204)
}

/** Undefined if it has not just one dictionary. */
function toBilingual({ dictionaries, glossary_id, name, creation_time }: Multilingual) {
  const [only, ...others] = dictionaries
  return only && others.length === 0 ? { glossary_id, name, ready: true, ...only, creation_time } : undefined
}

/** @throws ApiError 404, also for one that version 2 cannot show */
async function bilingualOf(c: EdgeContext) {
  const glossary = await glossaryOf(c)
  return toBilingual(glossary) ?? noGlossary(glossary.glossary_id)
}
