import { useRef, useState } from 'preact/hooks'
import type { Pair } from '../../state/translate/parts.ts'
import type { Translator } from '../../state/translate/translator.ts'
import { Alternatives } from './Alternatives.tsx'
import { walked } from '../walk.ts'

/** Which sentence is asked about, and how far down its end is, in pixels. */
interface Asked {
  readonly index: number
  readonly top: number
}

/** The translation, of which each sentence can be asked for others: arrows walk them, Enter asks. */
export function Sentences({ translator }: { translator: Translator }) {
  const place = useRef<HTMLDivElement>(null)
  const [asked, setAsked] = useState<Asked | null>(null)
  const { value: pairs } = translator.pairs
  const first = pairs.findIndex(({ translation }) => translation !== '')
  const open = (index: number, element: HTMLElement) => {
    // Who selects text does not ask for another, and what was not translated has none.
    if (translator.same.value || window.getSelection()?.isCollapsed === false) return
    const end = [...element.getClientRects()].at(-1)?.bottom ?? 0
    const top = place.current?.getBoundingClientRect().top ?? 0
    setAsked({ index, top: end - top })
  }
  const close = () => {
    if (asked) place.current?.querySelector<HTMLElement>(`[data-sentence="${asked.index}"]`)?.focus()
    setAsked(null)
  }
  // Of a text that is there no longer.
  const isStale = translator.task.busy.value || translator.task.failure.value !== null
  const pair = asked === null ? undefined : pairs[asked.index]
  return (
    <div class="sentences-place" ref={place}>
      <div
        class={`sentences ${isStale ? 'stale' : ''}`}
        dir="auto"
        lang={translator.target.value ?? undefined}
        aria-live="polite"
        aria-busy={translator.task.busy.value}
      >
        {pairs.map((one, index) => (
          <Sentence
            key={index}
            pair={one}
            index={index}
            reachable={index === (asked?.index ?? first)}
            open={index === asked?.index}
            onOpen={open}
          />
        ))}
      </div>
      {asked && pair && (
        <Alternatives key={asked.index} translator={translator} pair={pair} top={asked.top} onClose={close} />
      )}
    </div>
  )
}

function Sentence({
  pair,
  index,
  reachable,
  open,
  onOpen,
}: {
  pair: Pair
  index: number
  reachable: boolean
  open: boolean
  onOpen: (index: number, element: HTMLElement) => void
}) {
  const { before, translation, after } = pair
  if (translation === '') return <>{before + after}</>
  return (
    <>
      {before}
      {/* biome-ignore lint/a11y/useSemanticElements: text in a button cannot be selected */}
      <span
        role="button"
        class={`sentence ${open ? 'current' : ''}`}
        tabIndex={reachable ? 0 : -1}
        data-sentence={index}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={({ currentTarget }) => onOpen(index, currentTarget)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault()
            onOpen(index, event.currentTarget)
          } else walked(event, '[data-sentence]')
        }}
      >
        {translation}
      </span>
      {after}
    </>
  )
}
