import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon, IconButton, type IconName } from './Icon.tsx'

/** A button that opens a short list of actions: arrows walk it, Esc or a click beside it closes it. */
export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const [open, setOpen] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  const entries = () => [...(place.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])]
  useLayoutEffect(() => {
    if (!open) return
    entries()[0]?.focus()
    const onPointer = (event: PointerEvent) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) setOpen(false)
    }
    document.addEventListener('pointerdown', onPointer)
    return () => document.removeEventListener('pointerdown', onPointer)
  }, [open])
  const close = () => {
    setOpen(false)
    place.current?.querySelector('button')?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return
    const all = entries()
    const at = all.indexOf(document.activeElement as HTMLElement)
    const goal = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (goal !== undefined) {
      event.preventDefault()
      all.at(goal % all.length)?.focus()
    } else if (event.key === 'Escape') {
      event.stopPropagation()
      close()
    } else if (event.key === 'Tab') setOpen(false)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the entries within
    <div class="menu-place" ref={place} onKeyDown={onKeyDown}>
      <IconButton icon="more" label={label} menuOpen={open} onClick={() => setOpen(!open)} />
      {open && (
        // biome-ignore lint/a11y/useKeyWithClickEvents: choosing an entry, by whatever means, is a click
        <div class="menu" role="menu" aria-label={label} tabIndex={-1} onClick={close}>
          {children}
        </div>
      )}
    </div>
  )
}

export function MenuItem({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" role="menuitem" class="menu-item" tabIndex={-1} onClick={onClick}>
      <Icon name={icon} />
      {label}
    </button>
  )
}

/** An entry that fetches a file. */
export function MenuDownload({ label, href }: { label: string; href: string }) {
  return (
    <a role="menuitem" class="menu-item" tabIndex={-1} href={href} download>
      <Icon name="file" />
      {label}
    </a>
  )
}
