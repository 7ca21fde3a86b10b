import { useState } from 'preact/hooks'

/** A button for what cannot be undone: it takes a second press. */
export function SecondPress({
  label,
  really,
  of,
  onPress,
}: {
  label: string
  /** What it says after the first press. */
  really: string
  /** What it is done to. */
  of: string
  onPress: () => void
}) {
  const [asked, setAsked] = useState(false)
  const shown = asked ? really : label
  return (
    <button
      type="button"
      class={`quiet ${asked ? 'failure' : ''}`}
      aria-label={`${shown}: ${of}`}
      onBlur={() => setAsked(false)}
      onClick={() => {
        setAsked(!asked)
        if (asked) onPress()
      }}
    >
      {shown}
    </button>
  )
}
