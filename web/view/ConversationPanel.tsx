import { useRef, useState } from 'preact/hooks'
import { conversationPath } from '../state/address.ts'
import { LONGEST_SEARCH } from '../state/conversation-search.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import type { Conversation } from '../transport/answers.ts'
import { Found } from './Found.tsx'
import { Icon, IconButton } from './Icon.tsx'
import { followed } from './links.ts'
import { RenameField } from './RenameField.tsx'

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
        placeholder={text.list.findShort}
        aria-label={text.list.find}
        maxLength={LONGEST_SEARCH}
        value={list.search.query.value}
        onInput={(event) => (list.search.query.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') {
            event.preventDefault()
            document.querySelector<HTMLElement>('.rows a')?.focus()
          }
          // The first Esc empties the field, the next does what it does elsewhere.
          if (event.key === 'Escape' && list.search.query.value !== '') {
            event.stopPropagation()
            list.search.query.value = ''
          }
        }}
      />
      <SearchNote page={page} />
      <Rows page={page} />
    </section>
  )
}

/** How the search stands, said aloud when it has an answer. */
function SearchNote({ page }: { page: Page }) {
  const { search, shown } = page.list
  const state = search.state.value
  return (
    <div role="status">
      {state === 'failed' && (
        <p class="panel-note">
          {text.list.searchFailed}{' '}
          <button type="button" class="quiet" onClick={() => void search.again()}>
            {text.actions.retry}
          </button>
        </p>
      )}
      {state === 'idle' && search.found.value && (
        <p class={shown.value.length === 0 ? 'panel-note' : 'unseen'}>
          {shown.value.length === 0 ? text.list.none : text.list.found(shown.value.length, search.hasMore.value)}
        </p>
      )}
    </div>
  )
}

function Rows({ page }: { page: Page }) {
  const { list } = page
  const rows = useRef<HTMLUListElement>(null)
  const shown = list.shown.value
  const more = list.search.query.value.trim() === '' ? list : list.search
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
    return list.search.query.value.trim() === '' ? <p class="panel-note">{text.list.empty}</p> : null
  }
  /** Arrows walk the list. */
  const walk = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const links = [...(rows.current?.querySelectorAll('a') ?? [])]
    const at = links.indexOf(document.activeElement as HTMLAnchorElement)
    if (step === 0 || at < 0) return
    event.preventDefault()
    if (at + step < 0) document.getElementById('find-conversation')?.focus()
    else links[at + step]?.focus()
  }
  return (
    <ul class="rows" ref={rows} onKeyDown={walk}>
      {shown.map((conversation) => (
        <Row key={conversation.id} page={page} conversation={conversation} />
      ))}
      {more.hasMore.value && (
        <li>
          <button type="button" class="quiet more" onClick={() => void more.loadMore()}>
            {text.actions.more}
          </button>
        </li>
      )}
    </ul>
  )
}

function Row({ page, conversation }: { page: Page; conversation: Conversation }) {
  const [renaming, setRenaming] = useState(false)
  const { id, metadata, branched_from } = conversation
  const match = page.list.search.query.value.trim() === '' ? undefined : conversation.match
  const title = metadata.title || text.list.untitled
  const current = page.current.value.id.value === id
  if (renaming) {
    const end = (value: string | null) => {
      setRenaming(false)
      if (value !== null) void page.list.rename(id, value)
    }
    return (
      <li class="row">
        <RenameField title={title} onEnd={end} />
      </li>
    )
  }
  const { words } = page.list.search
  const open = () => {
    page.overlay.value = 'none'
    if (match) page.actions.openFound(id, match.item_id)
    else page.address.open(id)
  }
  return (
    <li class={`row ${current ? 'current' : ''}`}>
      <a
        href={conversationPath(id)}
        aria-current={current ? 'page' : undefined}
        title={title}
        onClick={(event) => followed(event, open)}
      >
        {branched_from && <Icon name="branch" />}
        <Found source={title} words={words} />
        {match && (
          <small>
            <Found source={match.text} words={words} />
          </small>
        )}
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
