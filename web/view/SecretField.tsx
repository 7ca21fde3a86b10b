import { useEffect, useRef } from 'preact/hooks'
import { CopyButton } from './CopyButton.tsx'

/** Something that is shown this once, brought into view, with a button that copies it. */
export function SecretField({ label, value, hint }: { label: string; value: string; hint: string }) {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return (
    <div class="secret">
      <label>
        <span>{label}</span>
        <input ref={field} type="text" readOnly value={value} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <CopyButton read={() => value} />
      <small>{hint}</small>
    </div>
  )
}
