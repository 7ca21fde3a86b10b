import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Task } from '../../state/task.ts'
import type { Pair } from '../../state/translate/parts.ts'
import type { Translator } from '../../state/translate/translator.ts'
import { text } from '../../text-translate.ts'
import { FailureNote } from '../FailureNote.tsx'
import { IconButton } from '../Icon.tsx'
import { walked } from '../walk.ts'

/** Other translations of a sentence, below it; choosing one puts it in its place. Esc or a click beside closes it. */
export function Alternatives({
  translator,
  pair,
  top,
  onClose,
}: {
  translator: Translator
  pair: Pair
  /** Pixels from the top of what it stands over. */
  top: number
  onClose: () => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const search = useMemo(() => new Task(), [])
  const [others, setOthers] = useState<readonly string[] | null>(null)
  useEffect(() => {
    void search.run(async (signal) => {
      const found = await translator.alternatives(pair, signal)
      setOthers(found.filter((one) => one !== pair.translation))
    })
    return () => search.stop()
  }, [])
  useEffect(() => {
    place.current?.querySelector('button')?.focus()
    place.current?.scrollIntoView({ block: 'nearest' })
  }, [others])
  useEffect(() => {
    const onPointer = (event: PointerEvent) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) onClose()
    }
    document.addEventListener('pointerdown', onPointer)
    return () => document.removeEventListener('pointerdown', onPointer)
  })
  const choose = (translation: string) => {
    translator.choose(pair, translation)
    onClose()
  }
  return (
    <div
      class="alternatives"
      role="dialog"
      aria-label={text.sentence.others}
      ref={place}
      style={{ top: `${top + 4}px` }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onClose()
      }}
    >
      <div class="alternatives-list" dir="auto" lang={translator.target.value ?? undefined}>
        {others?.map((other) => (
          <button
            type="button"
            key={other}
            class="alternative"
            onClick={() => choose(other)}
            onKeyDown={(event) => walked(event, '.alternative')}
          >
            {other}
          </button>
        ))}
      </div>
      <div class="alternatives-foot">
        <span role="status">
          {search.busy.value && text.sentence.searching}
          {others?.length === 0 && text.sentence.none}
          {others !== null && others.length > 0 && translator.glossary.value !== null && text.sentence.noGlossary}
        </span>
        <FailureNote error={search.failure.value} />
        <IconButton icon="close" label={text.document.close} onClick={onClose} />
      </div>
    </div>
  )
}
