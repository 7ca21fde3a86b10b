import { useRef } from 'preact/hooks'
import { Icon } from './Icon.tsx'

/** Opens the system's way of picking files. */
export function FileButton({
  label,
  accept,
  multiple = false,
  onFiles,
}: {
  label: string
  accept: string
  multiple?: boolean
  onFiles: (files: readonly File[]) => void
}) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" class="outlined" data-first-field onClick={() => input.current?.click()}>
        <Icon name="upload" />
        {label}
      </button>
      <input
        ref={input}
        type="file"
        accept={accept}
        multiple={multiple}
        hidden
        aria-label={label}
        onChange={(event) => {
          const { files } = event.currentTarget
          if (files && files.length > 0) onFiles([...files])
          // The same file may be chosen again.
          event.currentTarget.value = ''
        }}
      />
    </>
  )
}
