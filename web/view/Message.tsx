import { useState } from 'preact/hooks'
import type { ChatSession } from '../state/chat-session.ts'
import type { Turn } from '../state/turn.ts'
import { text } from '../text.ts'
import type { RequestFailure } from '../transport/failure.ts'
import { CopyButton } from './CopyButton.tsx'
import { IconButton } from './Icon.tsx'
import { Markdown } from './Markdown.tsx'

export interface MessageProps {
  session: ChatSession
  turn: Turn
  last: boolean
}

export function Message(props: MessageProps) {
  return props.turn.role === 'user' ? <Question {...props} /> : <Answer {...props} />
}

function Question({ session, turn }: MessageProps) {
  const [editing, setEditing] = useState(false)
  if (editing) return <QuestionEditor session={session} turn={turn} onEnd={() => setEditing(false)} />
  return (
    <article class="turn question" aria-label={text.chat.you}>
      <div class="bubble">{turn.text.value}</div>
      <div class="turn-actions">
        <CopyButton read={() => turn.text.value} />
        <IconButton
          icon="pencil"
          label={text.actions.edit}
          disabled={session.busy.value}
          onClick={() => setEditing(true)}
        />
      </div>
    </article>
  )
}

function QuestionEditor({ session, turn, onEnd }: { session: ChatSession; turn: Turn; onEnd: () => void }) {
  const [draft, setDraft] = useState(turn.text.value)
  const resend = () => {
    if (draft.trim() === '') return
    onEnd()
    void session.edit(turn, draft)
  }
  return (
    <form
      class="turn editor"
      onSubmit={(event) => {
        event.preventDefault()
        resend()
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onEnd()
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) resend()
        event.stopPropagation()
      }}
    >
      <textarea
        rows={4}
        aria-label={text.chat.field}
        value={draft}
        ref={(field) => field?.focus()}
        onInput={(event) => setDraft(event.currentTarget.value)}
      />
      <div class="editor-actions">
        <button type="button" class="plain" onClick={onEnd}>
          {text.actions.cancel}
        </button>
        <button type="submit" class="filled" disabled={session.busy.value}>
          {text.actions.resend}
        </button>
      </div>
    </form>
  )
}

function Answer({ session, turn, last }: MessageProps) {
  const status = turn.status.value
  const said = turn.text.value
  const failure = turn.failure.value
  const streaming = status === 'streaming'
  const retry = last && !session.busy.value
  return (
    <article class={`turn answer ${streaming ? 'streaming' : ''}`} aria-label={text.product} aria-busy={streaming}>
      {said === '' && streaming && (
        <p class="thinking">
          <span class="dot" /> {text.chat.thinking}
        </p>
      )}
      <Markdown text={said} finished={!streaming} />
      {status === 'incomplete' && <p class="end-note">{text.chat.stopped}</p>}
      {turn.facts.value?.cutAtLimit && <p class="end-note">{text.chat.cutAtLimit}</p>}
      {turn.unsaved.value && <p class="end-note">{text.chat.notSaved}</p>}
      {failure && (
        <p class="failure" role="alert">
          {explain(failure)}
        </p>
      )}
      {!streaming && (
        <div class={`turn-actions ${failure || status === 'incomplete' ? 'shown' : ''}`}>
          {said !== '' && <CopyButton read={() => turn.text.value} />}
          {retry && <IconButton icon="retry" label={text.actions.retry} onClick={() => void session.retry()} />}
          <Facts turn={turn} />
        </div>
      )}
    </article>
  )
}

function Facts({ turn }: { turn: Turn }) {
  const facts = turn.facts.value
  if (!facts) return null
  const parts = [
    facts.tokensPerSecond === null ? null : text.chat.speed(facts.tokensPerSecond),
    facts.firstTokenMs === null ? null : text.chat.firstToken(facts.firstTokenMs),
    facts.promptPerSecond ? text.chat.promptSpeed(facts.promptPerSecond) : null,
    facts.servedBy === null ? null : text.chat.servedBy(facts.servedBy),
  ]
  return <span class="facts">{parts.filter((part) => part !== null).join(' · ')}</span>
}

function explain(failure: RequestFailure): string {
  const said = failure.kind === 'api' ? failure.message : text.failure[failure.kind]
  return failure.retryAfter === undefined ? said : `${said} ${text.failure.wait(failure.retryAfter)}`
}
