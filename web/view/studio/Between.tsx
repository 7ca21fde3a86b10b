import type { Exploration, Kept } from '../../state/studio/exploration.ts'
import { dataUrl } from '../../state/studio/pictures.ts'
import { text } from '../../text-studio.ts'

/** Two places that were kept, and the way from one to the other. */
export function Between({ walk }: { walk: Exploration }) {
  const [first, second] = walk.ends.value
  const words = text.explore
  return (
    <section class="between" aria-label={words.between}>
      <div>
        <h3>{words.between}</h3>
        <p class="note small">{words.betweenHint}</p>
      </div>
      <div class="between-line">
        <End label={words.first} keep={words.keepFirst} place={first} onKeep={() => walk.keep(0)} />
        <input
          type="range"
          min={0}
          max={1}
          step={0.01}
          value={walk.between.value}
          disabled={!first || !second}
          aria-label={words.position}
          aria-valuetext={text.percent(walk.between.value)}
          onInput={(event) => walk.goBetween(event.currentTarget.valueAsNumber)}
        />
        <End label={words.second} keep={words.keepSecond} place={second} onKeep={() => walk.keep(1)} />
      </div>
    </section>
  )
}

function End({ label, keep, place, onKeep }: { label: string; keep: string; place: Kept | null; onKeep: () => void }) {
  return (
    <div class="end">
      <div class="end-picture">
        {place && 'b64_json' in place.decoded ? (
          <img class="pixels" src={dataUrl(place.decoded.b64_json)} alt={label} draggable={false} />
        ) : (
          <span class="note small">{place ? label : text.explore.noPlace}</span>
        )}
      </div>
      <button type="button" class="quiet" onClick={onKeep}>
        {keep}
      </button>
    </div>
  )
}
