import { useEffect, useRef } from 'preact/hooks'
import { MOST_LENGTH, type Translator } from '../../state/translate/translator.ts'
import { text } from '../../text-translate.ts'
import { FileButton } from '../FileButton.tsx'
import { IconButton } from '../Icon.tsx'
import { PHONE } from '../keys.ts'

/** Where the text is typed. */
export function SourcePane({
  translator,
  active,
  onDocument,
}: {
  translator: Translator
  active: boolean
  onDocument: (file: File) => void
}) {
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    if (active && !window.matchMedia(PHONE).matches) field.current?.focus()
  }, [active])
  const { value } = translator.text
  const tooLong = translator.tooLong.value
  const clear = () => {
    translator.change({ text: '' })
    field.current?.focus()
  }
  const asDocument = () => onDocument(new File([value], 'text.txt', { type: 'text/plain' }))
  return (
    <div class="pane">
      <div class="pane-body">
        <textarea
          ref={field}
          dir="auto"
          lang={translator.from.value ?? undefined}
          data-first-field
          aria-label={text.field}
          placeholder={text.placeholder}
          value={value}
          onInput={({ currentTarget }) => translator.change({ text: currentTarget.value })}
        />
        {value !== '' && <IconButton icon="close" label={text.clear} onClick={clear} class="clear" />}
      </div>
      <div class="pane-foot">
        <FileButton
          label={text.document.pick}
          accept={text.document.accept}
          onFiles={([file]) => file && onDocument(file)}
        />
        <span class={`count ${tooLong ? 'failure' : ''}`}>
          {text.length(value.length, MOST_LENGTH)}
          <span class="unseen">{text.characters}</span>
        </span>
      </div>
      {tooLong && (
        <p class="pane-note" role="alert">
          <span class="failure">{text.tooLong}</span>{' '}
          <button type="button" class="quiet" onClick={asDocument}>
            {text.asDocument}
          </button>
        </p>
      )}
    </div>
  )
}
