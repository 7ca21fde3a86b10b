/** Brings the message that a search found into view, once its conversation is there. */
import { useEffect } from 'preact/hooks'
import type { ChatSession } from '../state/chat-session.ts'
import type { Page } from '../state/page.ts'

export function useSought(page: Page, session: ChatSession): void {
  const sought = page.actions.sought.value
  const turns = session.turns.value
  const wanted = sought?.conversationId === session.id.value && session.state.value === 'ready' ? sought?.itemId : null
  useEffect(() => {
    if (!wanted) return
    if (!turns.some(({ itemId }) => itemId.value === wanted)) {
      void page.actions.reach(session)
      return
    }
    // After the layout has gone to the end, as it does for a conversation that was just opened.
    const timer = setTimeout(() => {
      const element = document.getElementById(wanted)
      if (!element) return
      element.scrollIntoView({ block: isInView(element) ? 'nearest' : 'center' })
      element.focus({ preventScroll: true })
      page.actions.sought.value = null
    }, 50)
    return () => clearTimeout(timer)
  }, [wanted, turns])
}

function isInView(element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect()
  return bottom > 0 && top < window.innerHeight
}
