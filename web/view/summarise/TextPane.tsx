import { useEffect, useRef } from 'preact/hooks'
import type { Summariser } from '../../state/summarise/summariser.ts'
import { text } from '../../text-summarise.ts'
import type { Span } from '../../transport/summaries.ts'
import { FileButton } from '../FileButton.tsx'
import { IconButton } from '../Icon.tsx'
import { PHONE } from '../keys.ts'

/**
 * Where the text is. Behind the field lies the same text, letter on letter, which is as high as it needs to be and has the
 * marks: so a text can be marked and edited at once.
 */
export function TextPane({
  summariser,
  active,
  onFile,
}: {
  summariser: Summariser
  active: boolean
  onFile: (file: File) => void
}) {
  const field = useRef<HTMLTextAreaElement>(null)
  const mirror = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (active && !window.matchMedia(PHONE).matches) field.current?.focus()
  }, [active])
  const { file } = summariser
  const { value } = summariser.text
  const spans = summariser.spans.value
  useEffect(() => {
    mirror.current?.querySelector('mark')?.scrollIntoView({ block: 'center' })
  }, [spans])
  const clear = () => {
    summariser.type('')
    field.current?.focus()
  }
  return (
    <div class="pane">
      <div class="pane-body">
        <div class="marked-field">
          <div class="mirror" dir="auto" aria-hidden="true" ref={mirror}>
            {marked(value, spans)}
            {/* An empty last line would have no height. */}
            {'\u200b'}
          </div>
          <textarea
            ref={field}
            dir="auto"
            data-first-field
            aria-label={text.field}
            placeholder={file.value ? text.file.reading(file.value.name) : text.placeholder}
            value={value}
            onInput={({ currentTarget }) => summariser.type(currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
              event.preventDefault()
              void summariser.run()
            }}
          />
        </div>
      </div>
      <div class="pane-foot">
        <FileButton label={text.file.pick} accept={text.file.accept} onFiles={([file]) => file && onFile(file)} />
        <span class="count">
          {text.length(value.length)}
          {text.characters}
          {value !== '' && <IconButton icon="close" label={text.clear} onClick={clear} />}
        </span>
      </div>
    </div>
  )
}

/** The text in pieces, those of the spans marked. @param spans in order */
function marked(whole: string, spans: readonly Span[]) {
  const pieces = []
  let at = 0
  for (const { start, end } of spans) {
    if (start < at) continue
    pieces.push(whole.slice(at, start), <mark key={start}>{whole.slice(start, end)}</mark>)
    at = end
  }
  return [...pieces, whole.slice(at)]
}
