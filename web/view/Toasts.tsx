import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { explain } from './explain.ts'
import { IconButton } from './Icon.tsx'

/** What floats over the page for a while: a deletion that can be undone, an action that failed. */
export function Toasts({ page }: { page: Page }) {
  const removal = page.list.removal.value
  const failure = page.actions.failure.value
  return (
    <div role="status" class="toast-place">
      {failure && (
        <p class="toast">
          <span class="failure">{explain(failure)}</span>
          <IconButton icon="close" label={text.actions.close} onClick={() => (page.actions.failure.value = null)} />
        </p>
      )}
      {removal && (
        <p class="toast">
          {text.list.removed(removal.conversation.metadata.title || text.list.untitled)}
          <button type="button" class="quiet" onClick={page.undoRemoval}>
            {text.actions.undo}
          </button>
        </p>
      )}
    </div>
  )
}
