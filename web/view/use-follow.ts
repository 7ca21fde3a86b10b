/** Follows the newest line only while the reader is at the bottom. */
import { type Signal, useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { ChatSession } from '../state/chat-session.ts'

/** Pixels from the end that still count as the end. */
const NEAR = 40

export function useFollow(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  session: ChatSession,
): { away: Signal<boolean>; backDown: () => void } {
  const away = useSignal(false)
  const following = useRef(true)
  const toEnd = () => {
    const element = scroller.current
    if (element) element.scrollTop = element.scrollHeight
  }
  useEffect(() => {
    const element = scroller.current
    const inner = content.current
    if (!element || !inner) return
    following.current = true
    away.value = false
    let last = element.scrollTop
    const onScroll = () => {
      const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR
      // Growth never scrolls upwards: only the reader does.
      if (element.scrollTop < last && !atEnd) following.current = false
      if (atEnd) following.current = true
      last = element.scrollTop
      away.value = !following.current
    }
    const grown = new ResizeObserver(() => {
      if (following.current) toEnd()
    })
    element.addEventListener('scroll', onScroll, { passive: true })
    grown.observe(inner)
    grown.observe(element)
    return () => {
      element.removeEventListener('scroll', onScroll)
      grown.disconnect()
    }
  }, [session])
  return {
    away,
    backDown() {
      following.current = true
      away.value = false
      toEnd()
    },
  }
}
