import { useState } from 'preact/hooks'
import { isAskedAgain } from '../state/ask-again.ts'
import type { ChatSession } from '../state/chat-session.ts'
import type { Page } from '../state/page.ts'
import type { Turn } from '../state/turn.ts'
import { text } from '../text.ts'
import { CopyButton } from './CopyButton.tsx'
import { explain } from './explain.ts'
import { IconButton } from './Icon.tsx'
import { Markdown } from './Markdown.tsx'
import { VersionSwitch } from './VersionSwitch.tsx'

export interface MessageProps {
  page: Page
  session: ChatSession
  turn: Turn
}

export function Message(props: MessageProps) {
  return props.turn.role === 'user' ? <Question {...props} /> : <Answer {...props} />
}

function Question({ page, session, turn }: MessageProps) {
  const [editing, setEditing] = useState(false)
  if (editing) return <QuestionEditor session={session} turn={turn} onEnd={() => setEditing(false)} />
  return (
    <article class="turn question" id={turn.itemId.value ?? undefined} aria-label={text.chat.you} tabIndex={-1}>
      <div class="bubble">{turn.text.value}</div>
      <div class="turn-actions">
        <CopyButton read={() => turn.text.value} />
        <IconButton
          icon="pencil"
          label={text.actions.edit}
          disabled={session.busy.value}
          onClick={() => setEditing(true)}
        />
        <BranchButton page={page} session={session} turn={turn} />
        <VersionSwitch page={page} session={session} turn={turn} />
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

/** Only what is stored can be branched off from. */
function BranchButton({ page, session, turn }: MessageProps) {
  return (
    <IconButton
      icon="branch"
      label={text.conversation.branch}
      disabled={turn.itemId.value === null}
      onClick={() => void page.actions.branch(session, turn)}
    />
  )
}

function Answer({ page, session, turn }: MessageProps) {
  const status = turn.status.value
  const said = turn.text.value
  const failure = turn.failure.value
  const streaming = status === 'streaming'
  return (
    <article
      class={`turn answer ${streaming ? 'streaming' : ''}`}
      id={turn.itemId.value ?? undefined}
      aria-label={text.product}
      aria-busy={streaming}
      tabIndex={-1}
    >
      {said === '' && streaming && (
        <p class="thinking">
          <span class="dot" /> {text.chat.thinking}
        </p>
      )}
      <Markdown text={said} finished={!streaming} />
      {status === 'incomplete' && <p class="end-note">{text.chat.stopped}</p>}
      {turn.facts.value?.cutAtLimit && <p class="end-note">{text.chat.cutAtLimit}</p>}
      {turn.lineBroken.value && <p class="end-note">{text.chat.lineBroken}</p>}
      {failure && (
        <p class="failure" role="alert">
          {isAskedAgain(failure) && said === '' ? text.failure.askedAgain : explain(failure)}
        </p>
      )}
      {!streaming && (
        <div class={`turn-actions ${failure || status === 'incomplete' ? 'shown' : ''}`}>
          {said !== '' && <CopyButton read={() => turn.text.value} />}
          <IconButton
            icon="retry"
            label={text.actions.retry}
            disabled={session.busy.value}
            onClick={() => void session.retry(turn)}
          />
          {said !== '' && <BranchButton page={page} session={session} turn={turn} />}
          <VersionSwitch page={page} session={session} turn={turn} />
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
