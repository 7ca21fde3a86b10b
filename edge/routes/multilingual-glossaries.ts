/** `/v3/glossaries`: DeepL's, with a dictionary for each of several pairs of languages. */
import {
  type DictionaryRequest,
  dictionaryEntriesSchema,
  dictionaryQuerySchema,
  dictionaryRequestSchema,
  dictionarySchema,
  multilingualListSchema,
  multilingualRequestSchema,
  multilingualSchema,
  multilingualUpdateSchema,
} from '#protocol/glossaries.ts'
import { LIMITS } from '#protocol/limits.ts'
import { ApiError } from '#protocol/error.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readFields } from '../http/body.ts'
import { idempotencyOf } from '../http/idempotency-of.ts'
import { nested } from '../http/nested-fields.ts'
import { validate } from '../http/validate.ts'
import {
  changeGlossary,
  type Dictionary,
  listGlossaries,
  newGlossary,
  putDictionary,
  readDictionary,
  removeDictionary,
  renameGlossary,
  requireRoomForGlossary,
} from '../storage/glossaries.ts'
import { once } from '../storage/idempotency.ts'
import { readEntries, toTsv } from '../translation/glossary-entries.ts'
import { dictionaryOf, glossaryOf } from '../translation/glossary-of.ts'
import { remove } from './glossaries.ts'
import type { Operation } from './operation.ts'

const PATH = '/v3/glossaries'
const common = { scope: 'translation', tag: 'Translation' } as const
const FORM = { most: LIMITS.bodyBytes, prepare: nested }

export const multilingualOperations: readonly Operation[] = [
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Make a glossary for several pairs of languages',
    description: 'As DeepL’s. Also as a form.',
    body: multilingualRequestSchema,
    answer: { description: 'The glossary', schema: multilingualSchema },
    errors: ['insufficient_quota', 'idempotency_key_reused'],
    example: {
      name: 'Desktop',
      dictionaries: [{ source_lang: 'en', target_lang: 'fr', entries: 'window\tfenêtre', entries_format: 'tsv' }],
    },
    handle: create,
  },
  {
    ...common,
    method: 'GET',
    path: PATH,
    summary: 'List the glossaries',
    answer: { description: 'The glossaries', schema: multilingualListSchema },
    handle: async (c) => c.json({ glossaries: await listGlossaries(c.env.DB, principalOf(c).owner) }),
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}`,
    summary: 'Read about a glossary',
    answer: { description: 'The glossary', schema: multilingualSchema },
    errors: ['not_found'],
    handle: async (c) => c.json(await glossaryOf(c)),
  },
  {
    ...common,
    method: 'PATCH',
    path: `${PATH}/{id}`,
    summary: 'Rename a glossary, or add entries to it',
    description: 'An entry takes the place of one for the same term.',
    body: multilingualUpdateSchema,
    answer: { description: 'The glossary', schema: multilingualSchema },
    errors: ['not_found'],
    handle: update,
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
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/entries`,
    summary: 'Read a dictionary of a glossary',
    query: dictionaryQuerySchema,
    answer: { description: 'Its entries', schema: dictionaryEntriesSchema },
    errors: ['not_found'],
    async handle(c) {
      const glossary = await glossaryOf(c)
      const pair = validate(dictionaryQuerySchema, c.req.query())
      const { entries } = await dictionaryOf(c, glossary, pair.source_lang, pair.target_lang)
      return c.json({ dictionaries: [{ ...pair, entries: toTsv(entries), entries_format: 'tsv' }] })
    },
  },
  {
    ...common,
    method: 'PUT',
    path: `${PATH}/{id}/dictionaries`,
    summary: 'Put a dictionary in the place of the one for its pair',
    body: dictionaryRequestSchema,
    answer: { description: 'The dictionary', schema: dictionarySchema },
    errors: ['not_found'],
    async handle(c) {
      const { glossary_id: id, dictionaries } = await glossaryOf(c)
      const dictionary = toDictionary(await readFields(c.req.raw, dictionaryRequestSchema, FORM))
      const { source, target, entries } = dictionary
      const others = dictionaries.filter((one) => one.source_lang !== source || one.target_lang !== target)
      requireFew(others.length + 1)
      await changeGlossary(c.env.DB, [putDictionary(c.env.DB, id, dictionary)])
      return c.json({ source_lang: source, target_lang: target, entry_count: entries.length })
    },
  },
  {
    ...common,
    method: 'DELETE',
    path: `${PATH}/{id}/dictionaries`,
    summary: 'Delete a dictionary of a glossary',
    query: dictionaryQuerySchema,
    answer: { description: 'It is deleted' },
    errors: ['not_found'],
    async handle(c) {
      const glossary = await glossaryOf(c)
      const { source_lang: source, target_lang: target } = validate(dictionaryQuerySchema, c.req.query())
      await dictionaryOf(c, glossary, source, target)
      await changeGlossary(c.env.DB, [removeDictionary(c.env.DB, glossary.glossary_id, source, target)])
      return c.body(null, 204)
    },
  },
]

async function create(c: EdgeContext): Promise<Response> {
  const request = await readFields(c.req.raw, multilingualRequestSchema, FORM)
  const { owner } = principalOf(c)
  const now = Date.now()
  const dictionaries = request.dictionaries.map(toDictionary)
  const pairs = new Set(dictionaries.map(({ source, target }) => `${source} ${target}`))
  if (pairs.size < dictionaries.length) {
    throw new ApiError('invalid_value', 'Two dictionaries are for one pair of languages.', { param: 'dictionaries' })
  }
  await requireRoomForGlossary(c.env.DB, owner)
  const { statements, glossary } = newGlossary(c.env.DB, { owner, name: request.name, dictionaries, now })
  return c.json(await once(c.env.DB, idempotencyOf(c, request, now), statements, glossary), 201)
}

async function update(c: EdgeContext): Promise<Response> {
  const { glossary_id: id, dictionaries } = await glossaryOf(c)
  const change = await readFields(c.req.raw, multilingualUpdateSchema, FORM)
  const pairs = new Map(dictionaries.map((one) => [`${one.source_lang} ${one.target_lang}`, 0]))
  const changed = new Map<string, Dictionary>()
  for (const { source, target, entries } of change.dictionaries.map(toDictionary)) {
    const pair = `${source} ${target}`
    pairs.set(pair, 0)
    const before = changed.get(pair) ?? (await readDictionary(c.env.DB, id, source, target))
    const all = [...new Map([...(before?.entries ?? []), ...entries])]
    if (all.length > LIMITS.dictionaryEntries) {
      const message = `A dictionary may have ${LIMITS.dictionaryEntries} entries, got ${all.length}.`
      throw new ApiError('invalid_value', message, { param: 'dictionaries' })
    }
    changed.set(pair, { source, target, entries: all })
  }
  requireFew(pairs.size)
  const renamed = change.name === undefined ? [] : [renameGlossary(c.env.DB, id, change.name)]
  const statements = [...renamed, ...[...changed.values()].map((one) => putDictionary(c.env.DB, id, one))]
  await changeGlossary(c.env.DB, statements)
  return c.json(await glossaryOf(c))
}

const toDictionary = (request: DictionaryRequest): Dictionary => ({
  source: request.source_lang,
  target: request.target_lang,
  entries: readEntries(request),
})

function requireFew(dictionaries: number): void {
  if (dictionaries <= LIMITS.glossaryDictionaries) return
  const message = `A glossary may have ${LIMITS.glossaryDictionaries} dictionaries, got ${dictionaries}.`
  throw new ApiError('invalid_value', message, { param: 'dictionaries' })
}
