import { useEffect, useState } from 'preact/hooks'
import { type Part, partPath } from '../../state/studio/studio.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import type { PartProps } from './StudioPage.tsx'

/** The model that a part works with: the address's, else the one that was picked last, else the first. */
export function useModel({ page, studio, active }: PartProps, part: Part) {
  const [picked, setPicked] = useState<string | null>(null)
  const asked = active ? page.address.model.value : null
  useEffect(() => {
    if (asked !== null) setPicked(asked)
  }, [asked])
  const models = studio.modelsFor(part)
  const model: TrainedModel | undefined = models.find(({ id }) => id === (asked ?? picked)) ?? models[0]
  const pick = ({ id }: TrainedModel) => page.address.replace(partPath(part, id))
  return { models, model, pick }
}
