import type { Theme } from '../state/browser-settings.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { Icon, type IconName } from './Icon.tsx'

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const ICONS: Record<Theme, IconName> = { system: 'system', light: 'sun', dark: 'moon' }

/** The sections, and what concerns the page as a whole. On a phone it lies at the bottom. */
export function Rail({ page }: { page: Page }) {
  const { settings, overlay } = page
  const { theme } = settings.value
  const inChat = page.address.section.value === 'chat'
  return (
    <nav class="rail" aria-label={text.nav.label}>
      <a
        class={`rail-item ${inChat ? 'current' : ''}`}
        href="/chat"
        aria-current={inChat ? 'page' : undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return
          event.preventDefault()
          page.newChat()
        }}
      >
        <Icon name="chat" />
        <span>{text.nav.chat}</span>
      </a>
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
      <span class="rail-space" />
      <button type="button" class="rail-item" onClick={() => (overlay.value = 'settings')}>
        <Icon name="settings" />
        <span>{text.settings.open}</span>
      </button>
      <button
        type="button"
        class="rail-item"
        title={text.nav.theme}
        aria-label={`${text.nav.theme}: ${text.theme[theme]}`}
        onClick={() => (settings.value = { ...settings.value, theme: NEXT[theme] })}
      >
        <Icon name={ICONS[theme]} />
        <span aria-hidden="true">{text.theme[theme].split(' ')[0]}</span>
      </button>
      <a class="rail-item" href="/docs" target="_blank" rel="noopener">
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
