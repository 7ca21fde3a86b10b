/** What the address names: a conversation (`/chat/conv_…`), a new one (`/chat`), or the keys (`/keys`). */
import { batch, type ReadonlySignal, signal } from '@preact/signals'

export type Section = 'chat' | 'keys'

export interface Address {
  readonly conversationId: ReadonlySignal<string | null>
  readonly section: ReadonlySignal<Section>
  /** Opens a conversation, or a new one; `replace` leaves no step to go back to. */
  open(conversationId: string | null, options?: { replace?: boolean }): void
  openKeys(): void
}

export function conversationPath(id: string | null): string {
  return id === null ? '/chat' : `/chat/${id}`
}

export const KEYS_PATH = '/keys'

function sectionOf(path: string): Section {
  return path === KEYS_PATH ? 'keys' : 'chat'
}

export function conversationOf(path: string): string | null {
  return /^\/chat\/([A-Za-z0-9_-]+)$/.exec(path)?.[1] ?? null
}

/** What a link to a shared conversation, `/shared/…`, is good for. */
export function sharedToken(path: string): string | null {
  return /^\/shared\/([A-Za-z0-9_-]+)$/.exec(path)?.[1] ?? null
}

export function createAddress(window: Window): Address {
  const conversationId = signal(conversationOf(window.location.pathname))
  const section = signal(sectionOf(window.location.pathname))
  const follow = () =>
    batch(() => {
      conversationId.value = conversationOf(window.location.pathname)
      section.value = sectionOf(window.location.pathname)
    })
  window.addEventListener('popstate', follow)
  const go = (path: string, replace: boolean) => {
    if (path !== window.location.pathname) {
      if (replace) window.history.replaceState(null, '', path)
      else window.history.pushState(null, '', path)
    }
    follow()
  }
  return {
    conversationId,
    section,
    open: (id, { replace = false } = {}) => go(conversationPath(id), replace),
    openKeys: () => go(KEYS_PATH, false),
  }
}
