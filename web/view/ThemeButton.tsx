import type { Signal } from '@preact/signals'
import type { BrowserSettings, Theme } from '../state/browser-settings.ts'
import { text } from '../text.ts'
import { Icon, type IconName } from './Icon.tsx'

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const ICONS: Record<Theme, IconName> = { system: 'system', light: 'sun', dark: 'moon' }

/** Goes from the system's theme to the light one, the dark one and back. */
export function ThemeButton({ settings }: { settings: Signal<BrowserSettings> }) {
  const { theme } = settings.value
  return (
    <button
      type="button"
      class="rail-item not-phone"
      title={text.nav.theme}
      aria-label={`${text.nav.theme}: ${text.theme[theme]}`}
      onClick={() => (settings.value = { ...settings.value, theme: NEXT[theme] })}
    >
      <Icon name={ICONS[theme]} />
      <span aria-hidden="true">{text.theme[theme].split(' ')[0]}</span>
    </button>
  )
}
