import { RequestFailure } from '../../transport/failure.ts'
import type { Translator } from '../../state/translate/translator.ts'
import { text } from '../../text-translate.ts'
import { CopyButton } from '../CopyButton.tsx'
import { FailureNote } from '../FailureNote.tsx'
import { Sentences } from './Sentences.tsx'

/** The translation, how far it is, and what went wrong with it. */
export function TargetPane({ translator }: { translator: Translator }) {
  const { task, languages } = translator
  const empty = isEmpty(translator)
  const busy = task.busy.value
  return (
    <div class="pane target">
      {!busy && !languages.missing.value && <Wrong translator={translator} />}
      <section class="pane-body" aria-label={text.result}>
        {empty ? <Empty translator={translator} /> : <Sentences translator={translator} />}
      </section>
      <div class="pane-foot">
        <State translator={translator} />
        {!empty && <CopyButton read={() => translator.translation.value} />}
      </div>
    </div>
  )
}

const isEmpty = ({ pairs }: Translator): boolean => pairs.value.length === 0

function Empty({ translator }: { translator: Translator }) {
  const isUntouched = translator.text.value === ''
  return (
    <div class="pane-empty">
      <p class="note">{isUntouched && text.empty}</p>
      {isUntouched && translator.target.value !== null && (
        <button type="button" class="outlined" onClick={() => translator.change({ text: text.example, source: null })}>
          {text.examples}
        </button>
      )}
    </div>
  )
}

function State({ translator }: { translator: Translator }) {
  const { progress, task, stopped, pairs } = translator
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
          text.translating
        )}
        <button type="button" class="quiet" onClick={() => translator.stop()}>
          {text.stop}
        </button>
      </span>
    )
  }
  return (
    <span class="state" role="status">
      {stopped.value ? (
        <>
          {text.stopped}
          <button type="button" class="quiet" onClick={() => void translator.goOn()}>
            {text.goOn}
          </button>
        </>
      ) : (
        pairs.value.length > 0 && !translator.same.value && text.sentence.hint
      )}
    </span>
  )
}

function Wrong({ translator }: { translator: Translator }) {
  const { impossible, target, languages, task } = translator
  if (impossible.value !== null && target.value !== null) {
    return (
      <p class="pane-note failure" role="alert">
        {text.impossible(languages.nameOf(impossible.value), languages.nameOf(target.value))}
      </p>
    )
  }
  if (translator.same.value && target.value !== null && !isEmpty(translator)) {
    return <p class="pane-note note">{text.same(languages.nameOf(target.value))}</p>
  }
  const error = task.failure.value
  if (error instanceof RequestFailure && error.away) {
    return (
      <p class="pane-note" role="status">
        {text.away}
      </p>
    )
  }
  return (
    <div class="pane-note">
      <FailureNote error={error} />
    </div>
  )
}
