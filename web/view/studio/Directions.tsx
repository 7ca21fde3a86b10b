import { useState } from 'preact/hooks'
import type { Exploration } from '../../state/studio/exploration.ts'
import { text } from '../../text-studio.ts'

const AT_FIRST = 8
/** Latents are as good as never further from the middle, in standard deviations. */
const REACH = 3.5

/** A slider for each direction, principal ones first. */
export function Directions({ walk }: { walk: Exploration }) {
  const [all, setAll] = useState(false)
  const directions = walk.directions.value
  const words = text.explore
  const rest = (directions?.length ?? 0) - AT_FIRST
  return (
    <section class="directions" aria-label={words.directions}>
      <h3>{words.directions}</h3>
      <p class="note small">{directions ? words.directionsHint : words.finding}</p>
      <ol class="slider-list">
        {(directions ?? []).slice(0, all ? undefined : AT_FIRST).map((direction, i) => {
          const value = walk.along(direction)
          return (
            <li key={direction}>
              <label>
                <span>{words.direction(i + 1)}</span>
                <input
                  type="range"
                  min={-REACH}
                  max={REACH}
                  step={0.05}
                  value={value}
                  aria-valuetext={words.directionValue(value, direction.share)}
                  title={words.directionValue(value, direction.share)}
                  onInput={(event) => walk.move(direction, event.currentTarget.valueAsNumber)}
                />
                <output>{(Math.round(value * 10) / 10 || 0).toFixed(1)}</output>
              </label>
            </li>
          )
        })}
      </ol>
      {rest > 0 && (
        <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? words.fewer : words.more(rest)}
        </button>
      )}
    </section>
  )
}
