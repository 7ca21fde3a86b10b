import { useEffect, useRef } from 'preact/hooks'
import type { ChatSession } from '../state/chat-session.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { IconButton } from './Icon.tsx'

const TALLEST = 240

/** Where one writes. What is typed stays until it is sent. */
export function Composer({ page, session, onSent }: { page: Page; session: ChatSession; onSent: () => void }) {
  const field = useRef<HTMLTextAreaElement>(null)
  const busy = session.busy.value
  useEffect(() => field.current?.focus({ preventScroll: true }), [session])

  const grow = () => {
    const element = field.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${Math.min(element.scrollHeight, TALLEST)}px`
  }
  const send = () => {
    const element = field.current
    if (!element || busy || element.value.trim() === '') return
    void session.send(element.value)
    element.value = ''
    grow()
    onSent()
  }
  const model = page.model.value
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        id="message"
        ref={field}
        rows={1}
        placeholder={text.chat.placeholder}
        aria-label={text.chat.field}
        aria-describedby="composer-hint"
        onInput={grow}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.isComposing || event.shiftKey) return
          event.preventDefault()
          send()
        }}
      />
      {busy ? (
        <IconButton icon="stop" label={text.actions.stop} class="primary" onClick={() => session.stop()} />
      ) : (
        <IconButton icon="send" label={text.actions.send} class="primary" onClick={send} />
      )}
      <p class="composer-hint" id="composer-hint">
        {model && (
          <button type="button" class="quiet model" onClick={() => (page.overlay.value = 'settings')}>
            {model.id}
          </button>
        )}
        <span class="not-phone">{text.chat.hint}</span>
      </p>
    </form>
  )
}
