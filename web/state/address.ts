/** Which conversation the address names: `/chat/conv_…`, or none for a new one. */
import { type ReadonlySignal, signal } from '@preact/signals'

export interface Address {
  readonly conversationId: ReadonlySignal<string | null>
  /** Opens a conversation, or a new one; `replace` leaves no step to go back to. */
  open(conversationId: string | null, options?: { replace?: boolean }): void
}

export function conversationPath(id: string | null): string {
  return id === null ? '/chat' : `/chat/${id}`
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
  window.addEventListener('popstate', () => {
    conversationId.value = conversationOf(window.location.pathname)
  })
  return {
    conversationId,
    open(id, { replace = false } = {}) {
      const path = conversationPath(id)
      if (path !== window.location.pathname) {
        if (replace) window.history.replaceState(null, '', path)
        else window.history.pushState(null, '', path)
      }
      conversationId.value = id
    },
  }
}
