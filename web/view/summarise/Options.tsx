import { LENGTHS, type Summariser } from '../../state/summarise/summariser.ts'
import { text } from '../../text-summarise.ts'

const UNITS = ['sentences', 'words'] as const
const STYLES = ['extractive', 'abstractive'] as const
const NAMES = new Intl.DisplayNames('en', { type: 'language' })
/** What a select has for “it is found out”. */
const AUTO = ''

/** How long, in which style, in which language; and the button that begins. */
export function Options({ summariser }: { summariser: Summariser }) {
  const { style, unit, amounts, task, sentences } = summariser
  const { least, most, step } = LENGTHS[unit.value]
  const amount = amounts.value[unit.value]
  return (
    <form
      class="summary-options"
      aria-label={text.options}
      onSubmit={(event) => {
        event.preventDefault()
        void summariser.run()
      }}
    >
      <label class="option">
        <span>{text.style}</span>
        <select
          value={style.value}
          title={text.styleHints[style.value]}
          onChange={({ currentTarget: { value } }) => {
            style.value = STYLES.find((one) => one === value) ?? 'extractive'
          }}
        >
          {STYLES.map((one) => (
            <option key={one} value={one}>
              {text.styles[one]}
            </option>
          ))}
        </select>
      </label>
      <div class="option amount">
        <select
          aria-label={text.unit}
          value={unit.value}
          onChange={({ currentTarget: { value } }) => {
            unit.value = UNITS.find((one) => one === value) ?? 'sentences'
          }}
        >
          {UNITS.map((one) => (
            <option key={one} value={one}>
              {text.units[one]}
            </option>
          ))}
        </select>
        <input
          type="range"
          aria-label={text.amount}
          aria-valuetext={text.amounts[unit.value](amount)}
          min={least}
          max={most}
          step={step}
          value={amount}
          onInput={({ currentTarget }) => {
            amounts.value = { ...amounts.value, [unit.value]: Number(currentTarget.value) }
          }}
        />
        <output>{amount}</output>
      </div>
      <LanguagePick summariser={summariser} />
      <button type="submit" class="filled" disabled={!summariser.isReady || task.busy.value}>
        {sentences.value.length > 0 ? text.again : text.run}
      </button>
    </form>
  )
}

function LanguagePick({ summariser: { language, detected } }: { summariser: Summariser }) {
  const auto = detected.value === null ? text.detect : text.detected(NAMES.of(detected.value) ?? detected.value)
  return (
    <label class="option">
      <span>{text.language}</span>
      <select
        value={language.value ?? AUTO}
        onChange={({ currentTarget: { value } }) => {
          language.value = value === AUTO ? null : value
        }}
      >
        <option value={AUTO}>{auto}</option>
        {text.languages.map((code) => (
          <option key={code} value={code}>
            {NAMES.of(code)}
          </option>
        ))}
      </select>
    </label>
  )
}
