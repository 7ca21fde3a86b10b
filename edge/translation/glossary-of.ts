/** The glossary that a path or a parameter names, if it is the caller's. */
import { ApiError } from '#protocol/error.ts'
import type { Multilingual } from '#protocol/glossaries.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { type Dictionary, findGlossary, readDictionary } from '../storage/glossaries.ts'
import type { Terms } from './glossary-terms.ts'

/** @throws ApiError 404 when it is not there, or another's */
export async function glossaryOf(c: EdgeContext, id = c.req.param('id') ?? ''): Promise<Multilingual> {
  return (await findGlossary(c.env.DB, principalOf(c).owner, id)) ?? noGlossary(id)
}

export function noGlossary(id: string): never {
  throw new ApiError('not_found', `There is no glossary '${id.slice(0, 100)}'.`)
}

/** @throws ApiError 404 if the glossary has none for the pair */
export async function dictionaryOf(
  c: EdgeContext,
  { glossary_id: id }: Pick<Multilingual, 'glossary_id'>,
  source: string,
  target: string,
): Promise<Dictionary> {
  const dictionary = await readDictionary(c.env.DB, id, source, target)
  if (dictionary) return dictionary
  throw new ApiError('not_found', `The glossary '${id}' has no dictionary from '${source}' to '${target}'.`)
}

/** Of several that have a term, the first counts. @throws ApiError 404 */
export async function termsFor(c: EdgeContext, ids: readonly string[], source: string, target: string): Promise<Terms> {
  const terms = new Map<string, string>()
  for (const id of ids) {
    const { entries } = await dictionaryOf(c, await glossaryOf(c, id), source, target)
    for (const [from, to] of entries) if (!terms.has(from)) terms.set(from, to)
  }
  return terms
}
