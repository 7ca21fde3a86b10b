import { useEffect } from 'preact/hooks'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { Chat } from './Chat.tsx'
import { ConversationHeader } from './ConversationHeader.tsx'
import { ConversationPanel } from './ConversationPanel.tsx'
import { handleKey } from './keys.ts'
import { lazily } from './lazily.tsx'
import { Rail } from './Rail.tsx'
import { Settings } from './Settings.tsx'
import { Shortcuts } from './Shortcuts.tsx'
import { SignIn } from './SignIn.tsx'
import { Toasts } from './Toasts.tsx'

const KeysPage = lazily(() => import('./KeysPage.tsx').then((part) => part.KeysPage))
const ShareDialog = lazily(() => import('./ShareDialog.tsx').then((part) => part.ShareDialog))

export function App({ page }: { page: Page }) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => handleKey(event, page)
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [page])

  const { server, overlay } = page
  if (server.signedIn.value === false) return <SignIn page={page} />
  return (
    <div class="frame">
      <Rail page={page} />
      <ConversationPanel page={page} />
      <main class="work">
        <Away page={page} />
        {page.address.section.value === 'keys' && <KeysPage page={page} />}
        {/* Stays, so that what was typed does. */}
        <div class="section" hidden={page.address.section.value !== 'chat'}>
          <ConversationHeader page={page} />
          <Chat page={page} session={page.current.value} />
        </div>
      </main>
      <Toasts page={page} />
      {overlay.value === 'settings' && <Settings page={page} />}
      {overlay.value === 'share' && <ShareDialog page={page} />}
      {overlay.value === 'shortcuts' && <Shortcuts onClose={() => (overlay.value = 'none')} />}
    </div>
  )
}

/** Says once, at the top, that no answer can be had just now. */
function Away({ page }: { page: Page }) {
  const { status } = page.server.health.value
  return (
    <div role="status" class="away-place">
      {status !== 'ok' && <p class="away">{text.away[status]}</p>}
    </div>
  )
}
