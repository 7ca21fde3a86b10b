import { text } from '../../text-train.ts'
import type { Trainable } from '../../transport/training.ts'

const words = text.begin

export function MethodPick({
  models,
  value,
  onPick,
}: {
  models: readonly Trainable[]
  value: Trainable
  onPick: (model: Trainable) => void
}) {
  return (
    <fieldset class="methods">
      <legend>{words.what}</legend>
      {models.map((model) => (
        <label key={model} class={`method ${model === value ? 'picked' : ''}`}>
          <input type="radio" name="method" checked={model === value} onChange={() => onPick(model)} />
          <span>
            <strong>{words.models[model].title}</strong>
            <small>{words.models[model].hint}</small>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
