import { useRef, useState } from 'preact/hooks'
import { conversationPath } from '../state/address.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import type { Conversation } from '../transport/answers.ts'
import { Icon, IconButton } from './Icon.tsx'

/** The list of conversations; on a phone a sheet. */
export function ConversationPanel({ page }: { page: Page }) {
  const { list, overlay } = page
  return (
    <section class={`panel ${overlay.value === 'list' ? 'open' : ''}`} aria-label={text.list.label}>
      <div class="panel-head">
        <button type="button" class="new-chat" onClick={page.newChat}>
          <Icon name="plus" />
          {text.actions.newChat}
        </button>
        <IconButton
          icon="close"
          label={text.actions.close}
          class="phone-only"
          onClick={() => (overlay.value = 'none')}
        />
      </div>
      <input
        id="find-conversation"
        type="search"
        class="find"
        placeholder={text.list.find}
        aria-label={text.list.find}
        value={list.filter.value}
        onInput={(event) => (list.filter.value = event.currentTarget.value)}
      />
      <Rows page={page} />
    </section>
  )
}

function Rows({ page }: { page: Page }) {
  const { list } = page
  const rows = useRef<HTMLUListElement>(null)
  const shown = list.shown.value
  if (list.state.value === 'failed') {
    return (
      <p class="panel-note">
        {text.list.failed}{' '}
        <button type="button" class="quiet" onClick={() => void list.load()}>
          {text.actions.retry}
        </button>
      </p>
    )
  }
  if (shown.length === 0 && list.state.value === 'loaded') {
    return <p class="panel-note">{list.filter.value.trim() === '' ? text.list.empty : text.list.none}</p>
  }
  /** Arrows walk the list. */
  const walk = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const links = [...(rows.current?.querySelectorAll('a') ?? [])]
    const at = links.indexOf(document.activeElement as HTMLAnchorElement)
    if (step === 0 || at < 0) return
    event.preventDefault()
    links[at + step]?.focus()
  }
  return (
    <ul class="rows" ref={rows} onKeyDown={walk}>
      {shown.map((conversation) => (
        <Row key={conversation.id} page={page} conversation={conversation} />
      ))}
      {list.hasMore.value && (
        <li>
          <button type="button" class="quiet more" onClick={() => void list.loadMore()}>
            {text.actions.more}
          </button>
        </li>
      )}
    </ul>
  )
}

function Row({ page, conversation }: { page: Page; conversation: Conversation }) {
  const [renaming, setRenaming] = useState(false)
  const { id, metadata } = conversation
  const title = metadata.title || text.list.untitled
  const current = page.current.value.id.value === id
  if (renaming) {
    const end = (value: string | null) => {
      setRenaming(false)
      if (value !== null && value !== title) void page.list.rename(id, value)
    }
    return (
      <li class="row">
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
      </li>
    )
  }
  return (
    <li class={`row ${current ? 'current' : ''}`}>
      <a
        href={conversationPath(id)}
        aria-current={current ? 'page' : undefined}
        title={title}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return
          event.preventDefault()
          page.overlay.value = 'none'
          page.address.open(id)
        }}
      >
        {title}
      </a>
      <span class="row-actions">
        <IconButton icon="pencil" label={`${text.actions.rename}: ${title}`} onClick={() => setRenaming(true)} />
        <IconButton
          icon="trash"
          label={`${text.actions.remove}: ${title}`}
          onClick={() => page.removeConversation(id)}
        />
      </span>
    </li>
  )
}
