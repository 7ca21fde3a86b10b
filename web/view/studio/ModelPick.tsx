import { text } from '../../text-studio.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'

/** Which model; nothing to pick if there is one. */
export function ModelPick({
  models,
  value,
  onPick,
}: {
  models: readonly TrainedModel[]
  value: TrainedModel
  onPick: (model: TrainedModel) => void
}) {
  return (
    <label class="model-pick">
      <span>{text.model}</span>
      <select
        value={value.id}
        onChange={(event) => {
          const picked = models.find(({ id }) => id === event.currentTarget.value)
          if (picked) onPick(picked)
        }}
      >
        {models.map(({ id }) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  )
}
