import { text } from '../../text-studio.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'

const MOST_CHARACTERS = 1000
const words = text.generate

/** What a model can be asked for: any words, one of its classes, or nothing at all. */
export function PromptField({
  model,
  value,
  onChange,
}: {
  model: TrainedModel
  value: string
  onChange: (prompt: string) => void
}) {
  const { conditions } = model
  if (!conditions) return <p class="note prompt">{words.noPrompt}</p>
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: one of the two is in it
    <label class="prompt">
      <span>{words.prompt}</span>
      {conditions.kind === 'text' ? (
        <input
          data-first-field
          maxLength={MOST_CHARACTERS}
          placeholder={words.placeholder}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      ) : (
        <select
          data-first-field
          value={conditions.names.includes(value) ? value : ''}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          <option value="">{words.anything}</option>
          {conditions.names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
    </label>
  )
}
