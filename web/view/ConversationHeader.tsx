import { useState } from 'preact/hooks'
import { conversationPath } from '../state/address.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import type { Conversation } from '../transport/answers.ts'
import { Icon, IconButton } from './Icon.tsx'
import { followed } from './links.ts'
import { Menu, MenuDownload, MenuItem } from './Menu.tsx'
import { RenameField } from './RenameField.tsx'

/** The open conversation's title, where it comes from, and what can be done with it. */
export function ConversationHeader({ page }: { page: Page }) {
  const id = page.current.value.id.value
  const conversation = id === null ? undefined : page.list.get(id)
  if (!conversation) return null
  return <Header key={conversation.id} page={page} conversation={conversation} />
}

function Header({ page, conversation }: { page: Page; conversation: Conversation }) {
  const [renaming, setRenaming] = useState(false)
  const { id, metadata, branched_from } = conversation
  const title = metadata.title || text.list.untitled
  const words = text.conversation
  const share = () => {
    page.overlay.value = 'share'
  }
  return (
    <header class="conversation-header">
      {renaming ? (
        <RenameField
          title={title}
          onEnd={(value) => {
            setRenaming(false)
            if (value !== null) void page.list.rename(id, value)
          }}
        />
      ) : (
        <h1 title={title}>{title}</h1>
      )}
      {branched_from && <Origin page={page} id={branched_from.conversation_id} />}
      <span class="header-space" />
      <IconButton icon="share" label={words.share} onClick={share} />
      <Menu label={words.menu}>
        <MenuItem icon="pencil" label={text.actions.rename} onClick={() => setRenaming(true)} />
        <MenuItem icon="share" label={words.share} onClick={share} />
        <MenuDownload label={words.exportMarkdown} href={page.conversations.exportPath(id, 'markdown')} />
        <MenuDownload label={words.exportJson} href={page.conversations.exportPath(id, 'json')} />
        <MenuItem icon="trash" label={text.actions.remove} onClick={() => page.removeConversation(id)} />
      </Menu>
    </header>
  )
}

function Origin({ page, id }: { page: Page; id: string }) {
  const title = page.list.get(id)?.metadata.title || text.conversation.origin
  return (
    <a
      class="origin"
      href={conversationPath(id)}
      title={text.conversation.branchedFrom(title)}
      onClick={(event) => followed(event, () => page.address.open(id))}
    >
      <Icon name="branch" />
      <span>{text.conversation.branchedFrom(title)}</span>
    </a>
  )
}
