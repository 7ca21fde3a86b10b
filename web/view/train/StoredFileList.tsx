import { useMemo } from 'preact/hooks'
import type { Page } from '../../state/page.ts'
import { StoredFiles } from '../../state/train/stored-files.ts'
import { text } from '../../text-train.ts'
import { contentPath } from '../../transport/training.ts'
import { FailureNote } from '../FailureNote.tsx'
import { SecondPress } from '../SecondPress.tsx'

const words = text.stored

/** What the server keeps, looked up when it is opened: to read again, or to delete. */
export function StoredFileList({ page }: { page: Page }) {
  const stored = useMemo(() => new StoredFiles(page.http), [page])
  const files = stored.files.value
  return (
    <details class="stored" onToggle={(event) => event.currentTarget.open && void stored.load()}>
      <summary>{words.title}</summary>
      <FailureNote error={stored.task.failure.value} />
      {files?.length === 0 && <p class="note">{words.none}</p>}
      {files && files.length > 0 && (
        <ul>
          {files.map(({ id, filename, bytes, created_at, purpose }) => (
            <li key={id}>
              <span>
                <a href={contentPath(id)} download>
                  {filename}
                </a>
                <small class="note">
                  {purpose === 'fine-tune' ? words.uploaded : words.result} · {text.size(bytes)} ·{' '}
                  {text.when(created_at)}
                </small>
              </span>
              <SecondPress
                label={words.remove}
                really={words.reallyRemove}
                of={filename}
                onPress={() => void stored.remove(id)}
              />
            </li>
          ))}
        </ul>
      )}
      {stored.more.value && (
        <button type="button" class="outlined" onClick={() => void stored.loadMore()}>
          {words.more}
        </button>
      )}
    </details>
  )
}
