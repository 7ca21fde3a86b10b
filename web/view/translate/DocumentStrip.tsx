import type { TranslatedDocument } from '../../state/translate/translated-document.ts'
import type { Translator } from '../../state/translate/translator.ts'
import { text } from '../../text-translate.ts'
import { FailureNote } from '../FailureNote.tsx'
import { Icon, IconButton } from '../Icon.tsx'

/** A document on its way, and what can be done with it. */
export function DocumentStrip({ document, translator }: { document: TranslatedDocument; translator: Translator }) {
  const { stage, name, task } = document
  if (stage.value === null) return null
  const isUnderWay = stage.value === 'sending' || stage.value === 'queued' || stage.value === 'translating'
  return (
    <section class="document-strip" aria-label={text.document.label}>
      <Icon name="docs" />
      <strong class="document-name">{name.value}</strong>
      <span class="document-state" role="status">
        {stateOf(document, translator)}
      </span>
      {isUnderWay && <progress aria-label={stateOf(document, translator)} />}
      {isUnderWay && (
        <button type="button" class="outlined" onClick={() => void document.cancel()}>
          {text.document.cancel}
        </button>
      )}
      {stage.value === 'done' && (
        <button type="button" class="filled" onClick={() => void download(document)}>
          {text.document.download}
        </button>
      )}
      {(stage.value === 'failed' || stage.value === 'cancelled') && document.again && (
        <button type="button" class="outlined" onClick={() => void document.again?.()}>
          {text.document.retry}
        </button>
      )}
      {!isUnderWay && <IconButton icon="close" label={text.document.close} onClick={() => document.dismiss()} />}
      <FailureNote error={task.failure.value} />
    </section>
  )
}

function stateOf({ stage, seconds, target }: TranslatedDocument, { languages }: Translator): string {
  switch (stage.value) {
    case 'sending':
      return text.document.sending
    case 'queued':
      return text.document.queued(seconds.value)
    case 'translating':
      return text.document.translating(seconds.value)
    case 'done':
      return text.document.done(languages.nameOf(target.value))
    case 'cancelled':
      return text.document.cancelled
    case 'gone':
      return text.document.gone
    case 'failed':
    case null:
      return ''
  }
}

async function download(translated: TranslatedDocument): Promise<void> {
  const file = await translated.fetch()
  if (!file) return
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = file.name
  link.click()
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
