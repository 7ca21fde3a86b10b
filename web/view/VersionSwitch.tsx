import type { ChatSession } from '../state/chat-session.ts'
import type { Page } from '../state/page.ts'
import type { Turn } from '../state/turn.ts'
import { text } from '../text.ts'
import { IconButton } from './Icon.tsx'

/** Which version of a message this is, and the way to the others. */
export function VersionSwitch({ page, session, turn }: { page: Page; session: ChatSession; turn: Turn }) {
  const versions = turn.versions.value
  const { value: itemId } = turn.itemId
  if (versions.length === 0) return null
  // One that could not be stored comes after all that could.
  const at = itemId === null ? versions.length : versions.indexOf(itemId)
  const count = versions.length + (itemId === null ? 1 : 0)
  const step = (icon: 'left' | 'right', label: string, to: string | undefined) => (
    <IconButton
      icon={icon}
      label={label}
      disabled={to === undefined || session.busy.value}
      onClick={() => to !== undefined && void page.actions.showVersion(session, to)}
    />
  )
  return (
    <span class="versions">
      {step('left', text.conversation.earlierVersion, versions[at - 1])}
      <span aria-hidden="true">
        {at + 1} / {count}
      </span>
      <span class="unseen">{text.conversation.version(at + 1, count)}</span>
      {step('right', text.conversation.laterVersion, versions[at + 1])}
    </span>
  )
}
