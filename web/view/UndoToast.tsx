import type { Page } from '../state/page.ts'
import { text } from '../text.ts'

export function UndoToast({ page }: { page: Page }) {
  const removal = page.list.removal.value
  return (
    <div role="status" class="toast-place">
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
