import { useRef } from 'preact/hooks'
import type { ChatSession } from '../state/chat-session.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { Composer } from './Composer.tsx'
import { Icon } from './Icon.tsx'
import { Message } from './Message.tsx'
import { useFollow } from './use-follow.ts'
import { useSought } from './use-sought.ts'

export function Chat({ page, session }: { page: Page; session: ChatSession }) {
  const turns = session.turns.value
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const { away, backDown } = useFollow(scroller, content, session)
  useSought(page, session)
  const empty = turns.length === 0 && session.state.value === 'ready'
  return (
    <div class={`chat ${empty ? 'empty' : ''}`}>
      <div class="scroll" ref={scroller}>
        <section class="column" ref={content} aria-label={text.chat.label}>
          {empty && <Welcome page={page} session={session} />}
          {session.state.value === 'loading' && <p class="note">{text.chat.loading} …</p>}
          {session.state.value === 'missing' && <p class="note">{text.chat.missing}</p>}
          {session.state.value === 'failed' && <Failed session={session} />}
          {turns.map((turn) => (
            <Message key={turn.key} page={page} session={session} turn={turn} />
          ))}
        </section>
      </div>
      <div class="foot">
        {away.value && (
          <button type="button" class="latest" onClick={backDown}>
            <Icon name="down" />
            {text.actions.latest}
          </button>
        )}
        <Composer page={page} session={session} onSent={backDown} />
      </div>
      <p class="unseen" aria-live="polite">
        {session.announcement.value}
      </p>
    </div>
  )
}

function Welcome({ page, session }: { page: Page; session: ChatSession }) {
  const model = page.model.value
  return (
    <div class="welcome">
      <h1>{text.chat.welcome}</h1>
      <p class="where">{model ? text.chat.where(model.id, model.device) : ' '}</p>
      <ul class="examples" aria-label={text.chat.examplesLabel}>
        {text.chat.examples.map((example) => (
          <li key={example}>
            <button type="button" onClick={() => void session.send(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Failed({ session }: { session: ChatSession }) {
  const id = session.id.value
  return (
    <p class="note" role="alert">
      {text.failure.network}{' '}
      <button type="button" class="quiet" onClick={() => id !== null && void session.load(id)}>
        {text.actions.retry}
      </button>
    </p>
  )
}
