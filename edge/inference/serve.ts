/** Answers from a model at the edge. */
import type { PublishedModel } from '#protocol/published-model.ts'
import { counted } from '../accounts/counted.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { publishedModels } from './published-models.ts'

/**
 * @param answer computes what is answered, as JSON
 * @throws ApiError 404 if there is no such model for who asks, 429 over a limit, and what `answer` throws
 */
export function serve(
  c: EdgeContext,
  id: string,
  answer: (model: PublishedModel) => Promise<object>,
): Promise<Response> {
  return counted(c, id, async () => answer(await publishedModels.find(c, principalOf(c).owner, id)))
}
