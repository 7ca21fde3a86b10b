import type { Setting } from '../../state/train/hyperparameters.ts'
import type { TrainingFile } from '../../state/train/training-file.ts'
import { text } from '../../text-train.ts'
import type { Hyperparameter } from '../../transport/training.ts'

type Chosen = Readonly<Record<string, Hyperparameter>>
const words = text.begin

/** All that can be set, out of the way; what is empty is chosen by the data. */
export function Hyperparameters({
  settings,
  data,
  chosen,
  onChange,
}: {
  settings: readonly Setting[]
  data: TrainingFile
  chosen: Chosen
  onChange: (chosen: Chosen) => void
}) {
  const set = (name: string, value: Hyperparameter | null) => {
    const { [name]: _, ...others } = chosen
    onChange(value === null ? others : { ...others, [name]: value })
  }
  return (
    <details class="hyperparameters">
      <summary>{words.details}</summary>
      <small>{words.detailsHint}</small>
      <div class="limits">
        {settings.map((setting) => (
          // biome-ignore lint/a11y/noLabelWithoutControl: the field is in it
          <label key={setting.name}>
            <span>{words.settings[setting.name] ?? setting.name}</span>
            <Field
              setting={setting}
              data={data}
              value={chosen[setting.name]}
              onSet={(value) => set(setting.name, value)}
            />
          </label>
        ))}
      </div>
    </details>
  )
}

function Field({
  setting: { range, options },
  data,
  value,
  onSet,
}: {
  setting: Setting
  data: TrainingFile
  value: Hyperparameter | undefined
  onSet: (value: Hyperparameter | null) => void
}) {
  if (range) {
    return (
      <input
        type="number"
        min={range.least}
        max={range.most}
        step={range.whole ? 1 : 'any'}
        placeholder={words.automatic}
        value={value ?? ''}
        onInput={(event) => {
          const number = event.currentTarget.valueAsNumber
          onSet(Number.isNaN(number) ? null : number)
        }}
      />
    )
  }
  const all = options ?? (data.kind === 'table' ? data.columns : [])
  return (
    <select
      value={value ?? ''}
      onChange={(event) => onSet(all.find((option) => String(option) === event.currentTarget.value) ?? null)}
    >
      <option value="">{words.automatic}</option>
      {all.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  )
}
