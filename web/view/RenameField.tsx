import { useRef } from 'preact/hooks'
import { text } from '../text.ts'

/** A title being changed; `onEnd` is given null when it stays as it was. */
export function RenameField({ title, onEnd }: { title: string; onEnd: (value: string | null) => void }) {
  // A field that is taken away loses its focus, too.
  const ended = useRef(false)
  const end = (value: string | null) => {
    if (ended.current) return
    ended.current = true
    onEnd(value === title ? null : value)
  }
  return (
    <input
      class="rename"
      aria-label={text.list.renameField}
      defaultValue={title}
      maxLength={200}
      ref={(field) => field?.focus()}
      onBlur={(event) => end(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') end(event.currentTarget.value)
        if (event.key === 'Escape') end(null)
        event.stopPropagation()
      }}
    />
  )
}
