import { useState } from 'preact/hooks'
import { text } from '../../text-studio.ts'

const words = text.denoise

/** Two pictures of one thing, one over the other, and a divider to drag between them. */
export function BeforeAfter({ before, after }: { before: string; after: string }) {
  const [share, setShare] = useState(0.5)
  return (
    <div class="before-after">
      <img class="pixels" src={after} alt={words.after} draggable={false} />
      <img
        class="pixels over"
        src={before}
        alt={words.before}
        draggable={false}
        style={{ clipPath: `inset(0 ${100 * (1 - share)}% 0 0)` }}
      />
      <span class="divider" style={{ left: `${100 * share}%` }} />
      <input
        type="range"
        min={0}
        max={1}
        step={0.01}
        value={share}
        aria-label={words.divider}
        aria-valuetext={words.dividerValue(share)}
        onInput={(event) => setShare(event.currentTarget.valueAsNumber)}
      />
      <span class="corner-label">{words.before}</span>
      <span class="corner-label right">{words.after}</span>
    </div>
  )
}
