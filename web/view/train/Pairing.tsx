import { useEffect, useState } from 'preact/hooks'
import type { Languages } from '../../state/train/hyperparameters.ts'
import { text } from '../../text-train.ts'
import type { Http } from '../../transport/http.ts'
import { readTunable } from '../../transport/trained-models.ts'

const words = text.begin

export interface Paired extends Languages {
  /** What is begun with; null: nothing. */
  readonly base: string | null
}

/** Between which languages it is to translate, and what it begins with. */
export function Pairing({
  http,
  languages,
  value,
  onChange,
}: {
  http: Http
  languages: readonly string[]
  value: Paired
  onChange: (value: Paired) => void
}) {
  const { source, target, base } = value
  const [tunable, setTunable] = useState<readonly string[]>([])
  useEffect(() => {
    let gone = false
    // Without them a new one can be trained all the same.
    readTunable(http, source, target).then(
      (models) => !gone && setTunable(models),
      () => !gone && setTunable([]),
    )
    return () => {
      gone = true
    }
  }, [http, source, target])
  const pick = (side: 'source' | 'target', language: string) => {
    const other = side === 'source' ? 'target' : 'source'
    const kept = value[other] === language ? { [other]: value[side] } : {}
    onChange({ ...value, ...kept, [side]: language, base: null })
  }
  return (
    <div class="hyperparameters">
      <div class="limits">
        {(['source', 'target'] as const).map((side) => (
          <label key={side}>
            <span>{words.languages[side]}</span>
            <select value={value[side]} onChange={(event) => pick(side, event.currentTarget.value)}>
              {languages.map((language) => (
                <option key={language} value={language}>
                  {text.language(language)}
                </option>
              ))}
            </select>
          </label>
        ))}
        <label>
          <span>{words.base}</span>
          <select
            value={base ?? ''}
            onChange={(event) => onChange({ ...value, base: event.currentTarget.value || null })}
          >
            <option value="">{words.newModel}</option>
            {tunable.map((model) => (
              <option key={model} value={model}>
                {model}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  )
}
