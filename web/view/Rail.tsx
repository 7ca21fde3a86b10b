import { sectionPath } from '../state/address.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { Icon, type IconName } from './Icon.tsx'
import { followed } from './links.ts'
import { ThemeButton } from './ThemeButton.tsx'

/** The sections, and what concerns the page as a whole. On a phone it lies at the bottom. */
export function Rail({ page }: { page: Page }) {
  const { overlay, server } = page
  const section = page.address.section.value
  const models = server.allModels.value
  return (
    <nav class="rail" aria-label={text.nav.label}>
      <RailLink page={page} section="chat" icon="chat" />
      {section === 'chat' && (
        <button
          type="button"
          class="rail-item phone-only"
          aria-expanded={overlay.value === 'list'}
          onClick={() => {
            overlay.value = overlay.value === 'list' ? 'none' : 'list'
          }}
        >
          <Icon name="list" />
          <span>{text.nav.list}</span>
        </button>
      )}
      <RailLink page={page} section="translate" icon="translate" />
      <RailLink page={page} section="summarise" icon="summarise" />
      {models.some(({ task }) => task !== 'chat') && <RailLink page={page} section="studio" icon="studio" />}
      <RailLink page={page} section="train" icon="train" />
      {models.length > 0 && <RailLink page={page} section="models" icon="models" />}
      <span class="rail-space" />
      <button type="button" class="rail-item" onClick={() => (overlay.value = 'settings')}>
        <Icon name="settings" />
        <span>{text.settings.open}</span>
      </button>
      <ThemeButton settings={page.settings} />
      <a class="rail-item not-phone" href="/docs" target="_blank" rel="noopener">
        <Icon name="docs" />
        <span>{text.nav.docs}</span>
      </a>
      <button
        type="button"
        class="rail-item not-phone"
        aria-label={text.nav.shortcuts}
        title={text.nav.shortcuts}
        onClick={() => (overlay.value = 'shortcuts')}
      >
        <Icon name="keys" />
        <span aria-hidden="true">?</span>
      </button>
    </nav>
  )
}

/** Goes to a section as it was left; from the chat to the chat is a new conversation. */
function RailLink({
  page,
  section,
  icon,
}: {
  page: Page
  section: 'chat' | 'translate' | 'summarise' | 'studio' | 'train' | 'models'
  icon: IconName
}) {
  const { address } = page
  const current = address.section.value === section
  const path = current ? sectionPath(section) : address.lastPath(section)
  const open = () => {
    page.overlay.value = 'none'
    if (current && section === 'chat') page.newChat()
    else address.go(path)
  }
  return (
    <a
      class={`rail-item ${current ? 'current' : ''}`}
      href={path}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => followed(event, open)}
    >
      <Icon name={icon} />
      <span>{text.nav[section]}</span>
    </a>
  )
}
