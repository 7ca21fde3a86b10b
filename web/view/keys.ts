/** The keyboard, for the page as a whole. What a field does with a key is the field's. */
import type { Page } from '../state/page.ts'

export function handleKey(event: KeyboardEvent, page: Page): void {
  const { overlay, current } = page
  const command = event.ctrlKey || event.metaKey
  const key = event.key.toLowerCase()
  if (event.key === 'Escape') {
    // A dialog closes itself; only then does the key stop an answer.
    if (overlay.value === 'list') overlay.value = 'none'
    else if (overlay.value === 'none') current.value.stop()
    return
  }
  if (command && !event.shiftKey && key === 'k') {
    event.preventDefault()
    overlay.value = window.matchMedia(PHONE).matches ? 'list' : 'none'
    requestAnimationFrame(() => focus('#find-conversation'))
    return
  }
  if (command && event.shiftKey && key === 'o') {
    event.preventDefault()
    page.newChat()
    requestAnimationFrame(() => focus('#message'))
    return
  }
  if (command || event.altKey || isTyping(event.target)) return
  if (event.key === '/') {
    event.preventDefault()
    focus('#message')
  } else if (event.key === '?') {
    event.preventDefault()
    overlay.value = 'shortcuts'
  }
}

/** As in the style sheets. */
export const PHONE = '(max-width: 760px)'

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus()
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}
