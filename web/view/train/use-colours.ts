import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'

/** By the names of the style sheets' properties. */
const NAMES = { accent: '--accent', text: '--text', quiet: '--text-quiet', line: '--line' } as const
type Colours = Readonly<Record<keyof typeof NAMES, string>>

/** The page's colours as a canvas takes them; again when the theme changes. */
export function useColours(place: RefObject<HTMLElement | null>, theme: string): Colours | null {
  const [colours, setColours] = useState<Colours | null>(null)
  useLayoutEffect(() => {
    const read = () => setColours(place.current ? readColours(place.current) : null)
    read()
    const dark = window.matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', read)
    return () => dark.removeEventListener('change', read)
  }, [place, theme])
  return colours
}

function readColours(within: HTMLElement): Colours {
  const probe = document.createElement('span')
  within.append(probe)
  const entries = Object.entries(NAMES).map(([name, property]) => {
    probe.style.color = `var(${property})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(entries) as Colours
}
