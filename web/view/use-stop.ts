import { useEffect } from 'preact/hooks'
import type { Page } from '../state/page.ts'

/** Lets Esc end what is under way in a part while it is shown. */
export function useStop(page: Page, active: boolean, task: { stop(): void }): void {
  useEffect(() => {
    if (!active) return
    const stop = () => task.stop()
    page.stop.value = stop
    return () => {
      if (page.stop.peek() === stop) page.stop.value = null
    }
  }, [page, active, task])
}
