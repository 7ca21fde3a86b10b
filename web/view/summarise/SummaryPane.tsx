import { Fragment } from 'preact'
import { RequestFailure } from '../../transport/failure.ts'
import type { Summariser } from '../../state/summarise/summariser.ts'
import { text } from '../../text-summarise.ts'
import { CopyButton } from '../CopyButton.tsx'
import { FailureNote } from '../FailureNote.tsx'
import { walked } from '../walk.ts'

/** The summary, how far it is, and what there is to know about it. */
export function SummaryPane({ summariser }: { summariser: Summariser }) {
  const { sentences, task } = summariser
  const isEmpty = sentences.value.length === 0
  return (
    <div class="pane target">
      {!task.busy.value && <Notes summariser={summariser} />}
      <section class="pane-body" aria-label={text.result}>
        {isEmpty ? <Empty summariser={summariser} /> : <Sentences summariser={summariser} />}
      </section>
      <div class="pane-foot">
        <State summariser={summariser} />
        {!isEmpty && <CopyButton read={() => summariser.summary.value} />}
      </div>
    </div>
  )
}

function Empty({ summariser }: { summariser: Summariser }) {
  if (summariser.task.busy.value) return null
  const takeExample = () => {
    summariser.type(text.example)
    void summariser.run()
  }
  return (
    <div class="pane-empty">
      <p class="note">{text.empty}</p>
      {!summariser.isReady && (
        <button type="button" class="outlined" onClick={takeExample}>
          {text.tryExample}
        </button>
      )}
    </div>
  )
}

/** Each shows where it comes from when it is chosen; arrows walk them and choose. */
function Sentences({ summariser }: { summariser: Summariser }) {
  const { sentences, chosen, outdated, task } = summariser
  const toggle = (index: number) => {
    // Who selects text does not ask where it comes from.
    if (window.getSelection()?.isCollapsed === false) return
    chosen.value = chosen.value === index ? null : index
  }
  return (
    <div class={`sentences ${outdated.value ? 'stale' : ''}`} dir="auto" aria-live="polite" aria-busy={task.busy.value}>
      {sentences.value.map(({ text: sentence }, index) => (
        <Fragment key={index}>
          {index > 0 && ' '}
          {/* biome-ignore lint/a11y/useSemanticElements: text in a button cannot be selected */}
          <span
            role="button"
            class={`sentence ${index === chosen.value ? 'current' : ''}`}
            tabIndex={index === (chosen.value ?? 0) ? 0 : -1}
            data-sentence={index}
            aria-pressed={index === chosen.value}
            onClick={() => toggle(index)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' || event.key === ' ') {
                event.preventDefault()
                toggle(index)
                return
              }
              const next = walked(event, '[data-sentence]')
              if (next) chosen.value = Number(next.dataset.sentence)
            }}
          >
            {sentence}
          </span>
        </Fragment>
      ))}
    </div>
  )
}

function State({ summariser }: { summariser: Summariser }) {
  const { task, progress, stopped, sentences, spans, text: whole } = summariser
  const far = progress.value
  if (task.busy.value) {
    return (
      <span class="state" role="status">
        {far ? (
          <>
            <progress max={far.total} value={far.done} aria-label={text.progress(far.done, far.total)} />
            {text.progress(far.done, far.total)}
          </>
        ) : (
          text.reading
        )}
        <button type="button" class="quiet" onClick={() => summariser.stop()}>
          {text.stop}
        </button>
      </span>
    )
  }
  const places = spans.value
  return (
    <span class="state" role="status">
      {stopped.value && text.stopped} {places.length === 0 && sentences.value.length > 0 && text.hint}
      {places.length > 0 && text.source(places.length)}
      {/* What is marked is seen beside; it is read out here. */}
      <span class="unseen">{places.map(({ start, end }) => whole.value.slice(start, end)).join(' … ')}</span>
    </span>
  )
}

function Notes({ summariser }: { summariser: Summariser }) {
  const { facts, outdated, task } = summariser
  const error = task.failure.value
  if (error instanceof RequestFailure && error.away) {
    return (
      <p class="pane-note" role="status">
        {text.away}
      </p>
    )
  }
  const { value: known } = facts
  const notes = [
    ...(outdated.value ? [text.outdated] : []),
    ...(known?.degraded ? [text.degraded[known.style]] : []),
    ...(known && known.unsupported > 0 ? [text.unsupported(known.unsupported)] : []),
  ]
  return (
    <div class="pane-note">
      {notes.map((note) => (
        <p key={note} class="note small">
          {note}
        </p>
      ))}
      <FailureNote error={error} />
    </div>
  )
}
