import { text } from '../text.ts'
import { Dialog } from './Dialog.tsx'

export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={text.shortcuts.title} onClose={onClose}>
      <dl class="shortcuts">
        {text.shortcuts.rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
