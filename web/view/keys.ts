/** The keyboard, for the page as a whole. What a field does with a key is the field's. */
import type { Page } from '../state/page.ts'

export function handleKey(event: KeyboardEvent, page: Page): void {
  const { overlay, address } = page
  const command = event.ctrlKey || event.metaKey
  const key = event.key.toLowerCase()
  if (event.key === 'Escape') {
    // A dialog closes itself; only then does the key stop an answer.
    if (overlay.value === 'list') overlay.value = 'none'
    else if (overlay.value === 'none') stopWork(page)
    return
  }
  if (command && !event.shiftKey && key === 'k') {
    event.preventDefault()
    if (address.section.value !== 'chat') address.go(address.lastPath('chat'))
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
    focus(address.section.value === 'chat' ? '#message' : '.section:not([hidden]) [data-first-field]')
  } else if (event.key === '?') {
    event.preventDefault()
    overlay.value = 'shortcuts'
  }
}

function stopWork({ address, current, stop }: Page): void {
  if (address.section.value === 'chat') current.value.stop()
  else stop.value?.()
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
