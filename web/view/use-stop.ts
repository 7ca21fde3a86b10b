import { useEffect } from 'preact/hooks'
import type { Page } from '../../state/page.ts'
import type { Task } from '../../state/task.ts'

/** Lets Esc end a task while its part is shown. */
export function useStop(page: Page, active: boolean, task: Task): void {
  useEffect(() => {
    if (!active) return
    const stop = () => task.stop()
    page.stop.value = stop
    return () => {
      if (page.stop.peek() === stop) page.stop.value = null
    }
  }, [page, active, task])
}
