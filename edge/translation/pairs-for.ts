/** What somebody can have translated: by the models of the runners, and by those that they have trained themselves. */
import { ApiError } from '#protocol/error.ts'
import { isTranslation } from '#protocol/published-model.ts'
import type { Bindings } from '../env.ts'
import type { Runners } from '../runners/runners.ts'
import { listTranslations, readModel } from '../storage/trained-models.ts'
import { type Pair, pairsOf } from './pairs.ts'

export interface Asking {
  /** Null: nobody that is known, who has no models. */
  readonly owner: string | null
  /** The one that is to translate; null: for each pair the owner's newest, or else a runner's. */
  readonly model: string | null
}

/** @throws ApiError if no runner is there, `model_not_found` if there is no such model for this owner */
export async function pairsFor(
  { DB }: Pick<Bindings, 'DB'>,
  runners: Pick<Runners, 'knownModels'>,
  { owner, model }: Asking,
): Promise<Pair[]> {
  const models = await runners.knownModels()
  if (model === null) return pairsOf(models, owner === null ? [] : await listTranslations(DB, owner))
  const own = owner === null ? null : await readModel(DB, owner, model)
  const pairs = pairsOf(
    models.filter(({ id }) => id === model),
    own && isTranslation(own) ? [own] : [],
  )
  if (pairs.length > 0) return pairs
  throw new ApiError('model_not_found', `There is no model '${model.slice(0, 100)}' that translates.`, {
    param: 'model',
  })
}
