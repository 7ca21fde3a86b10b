import type { Translator } from '../../state/translate/translator.ts'
import { text } from '../../text-translate.ts'
import { IconButton } from '../Icon.tsx'

/** From which language into which. */
export function LanguageBar({ translator }: { translator: Translator }) {
  return (
    <div class="language-bar">
      <SourcePick translator={translator} />
      <IconButton
        icon="swap"
        label={text.swap}
        disabled={!translator.canSwap}
        onClick={() => translator.swap()}
        class="swap"
      />
      <TargetPick translator={translator} />
    </div>
  )
}

/** What a select has for “it is found out”. */
const AUTO = ''

function SourcePick({ translator }: { translator: Translator }) {
  const { languages, source, detected } = translator
  const all = languages.all.value ?? []
  const auto = detected.value === null ? text.detect : text.detected(languages.nameOf(detected.value))
  return (
    <select
      aria-label={text.from}
      value={source.value ?? AUTO}
      disabled={all.length === 0}
      onChange={({ currentTarget: { value } }) =>
        translator.change({ source: value === AUTO ? null : value, glossary: null, model: null })
      }
    >
      <option value={AUTO}>{auto}</option>
      {all.map(({ code, name }) => (
        <option key={code} value={code}>
          {name}
        </option>
      ))}
    </select>
  )
}

function TargetPick({ translator }: { translator: Translator }) {
  const { languages, source, target } = translator
  const codes = languages.targetsOf(source.value)
  return (
    <select
      aria-label={text.to}
      value={target.value ?? ''}
      disabled={codes.length === 0}
      onChange={({ currentTarget: { value } }) => translator.change({ target: value, glossary: null, model: null })}
    >
      {codes.map((code) => (
        <option key={code} value={code}>
          {languages.nameOf(code)}
        </option>
      ))}
    </select>
  )
}
