import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'

/** Made when it is first shown, and only hidden from then on: what was typed, and what goes on, stays. */
export function Kept({ shown, children }: { shown: boolean; children: ComponentChildren }) {
  const made = useRef(false)
  made.current ||= shown
  return (
    <div class="section" hidden={!shown}>
      {made.current && children}
    </div>
  )
}
