import { useEffect } from 'preact/hooks'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { Chat } from './Chat.tsx'
import { ConversationHeader } from './ConversationHeader.tsx'
import { ConversationPanel } from './ConversationPanel.tsx'
import { Kept } from './Kept.tsx'
import { handleKey } from './keys.ts'
import { lazily } from './lazily.tsx'
import { Rail } from './Rail.tsx'
import { Settings } from './Settings.tsx'
import { Shortcuts } from './Shortcuts.tsx'
import { SignIn } from './SignIn.tsx'
import { Toasts } from './Toasts.tsx'

const KeysPage = lazily(() => import('./KeysPage.tsx').then((part) => part.KeysPage))
const StudioPage = lazily(() => import('./studio/StudioPage.tsx').then((part) => part.StudioPage))
const TranslatePage = lazily(() => import('./translate/TranslatePage.tsx').then((part) => part.TranslatePage))
const SummarisePage = lazily(() => import('./summarise/SummarisePage.tsx').then((part) => part.SummarisePage))
const TrainPage = lazily(() => import('./train/TrainPage.tsx').then((part) => part.TrainPage))
const ModelsPage = lazily(() => import('./models/ModelsPage.tsx').then((part) => part.ModelsPage))
const ShareDialog = lazily(() => import('./ShareDialog.tsx').then((part) => part.ShareDialog))

export function App({ page }: { page: Page }) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => handleKey(event, page)
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [page])
  const { server, overlay } = page
  const title = titleOf(page)
  useEffect(() => {
    document.title = title ? `${title} · ${text.product}` : text.product
  }, [title])

  if (server.signedIn.value === false) return <SignIn page={page} />
  const section = page.address.section.value
  const hasList = section === 'chat' || section === 'keys'
  return (
    <div class={`frame ${hasList ? '' : 'wide'}`}>
      <Rail page={page} />
      {hasList && <ConversationPanel page={page} />}
      <main class="work">
        <Away page={page} />
        {section === 'keys' && <KeysPage page={page} />}
        <Kept shown={section === 'chat'}>
          <ConversationHeader page={page} />
          <Chat page={page} session={page.current.value} />
        </Kept>
        <Kept shown={section === 'translate'}>
          <TranslatePage page={page} />
        </Kept>
        <Kept shown={section === 'summarise'}>
          <SummarisePage page={page} />
        </Kept>
        <Kept shown={section === 'studio'}>
          <StudioPage page={page} />
        </Kept>
        <Kept shown={section === 'train'}>
          <TrainPage page={page} />
        </Kept>
        {section === 'models' && <ModelsPage page={page} />}
      </main>
      <Toasts page={page} />
      {overlay.value === 'settings' && <Settings page={page} />}
      {overlay.value === 'share' && <ShareDialog page={page} />}
      {overlay.value === 'shortcuts' && <Shortcuts onClose={() => (overlay.value = 'none')} />}
    </div>
  )
}

function titleOf({ address, current }: Page): string {
  const section = address.section.value
  return section === 'chat' ? (current.value.turns.value[0]?.text.value.slice(0, 80) ?? '') : text.nav[section]
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
