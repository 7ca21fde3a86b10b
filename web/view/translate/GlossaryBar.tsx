import type { GlossaryList } from '../../state/translate/glossary-list.ts'
import type { Translator } from '../../state/translate/translator.ts'
import { text } from '../../text-translate.ts'
import { Icon } from '../Icon.tsx'

export interface GlossaryProps {
  readonly translator: Translator
  readonly glossaries: GlossaryList
}

/** By which model and glossary is translated, if there are several, and where glossaries are made. */
export function GlossaryBar({ onManage, ...props }: GlossaryProps & { onManage: () => void }) {
  return (
    <span class="glossary-bar">
      <ModelPick translator={props.translator} />
      <GlossaryPick {...props} />
      <button type="button" class="outlined" onClick={onManage}>
        <Icon name="book" />
        {text.glossary.open}
      </button>
    </span>
  )
}

function ModelPick({ translator }: { translator: Translator }) {
  const models = translator.languages.modelsOf(translator.from.value, translator.target.value)
  if (models.length < 2) return null
  return (
    <select
      aria-label={text.model}
      value={translator.model.value ?? ''}
      onChange={({ currentTarget: { value } }) => translator.change({ model: value === '' ? null : value })}
    >
      <option value="">{text.anyModel}</option>
      {models.map(({ id }) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </select>
  )
}

/** One that is for another source makes that the source: a glossary needs to know it. */
function GlossaryPick({ translator, glossaries }: GlossaryProps) {
  const target = translator.target.value
  const known = glossaries.for(translator.from.value, target)
  if (known.length === 0 || target === null) return null
  const pick = (id: string) => {
    const glossary = known.find(({ glossary_id }) => glossary_id === id)
    const source = glossary ? glossaries.sourceOf(glossary, target) : null
    translator.change(source === null ? { glossary: null } : { glossary: id, source: translator.from.value ?? source })
  }
  return (
    <select
      aria-label={text.glossary.label}
      value={translator.glossary.value ?? ''}
      onChange={({ currentTarget: { value } }) => pick(value)}
    >
      <option value="">{text.glossary.none}</option>
      {known.map(({ glossary_id, name }) => (
        <option key={glossary_id} value={glossary_id}>
          {name}
        </option>
      ))}
    </select>
  )
}
