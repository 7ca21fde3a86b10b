import { CopyButton } from './CopyButton.tsx'

/** Something that is shown this once, with a button that copies it. */
export function SecretField({ label, value, hint }: { label: string; value: string; hint: string }) {
  return (
    <div class="secret">
      <label>
        <span>{label}</span>
        <input type="text" readOnly value={value} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <CopyButton read={() => value} />
      <small>{hint}</small>
    </div>
  )
}
