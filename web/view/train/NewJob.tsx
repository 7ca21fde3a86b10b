import { signal } from '@preact/signals'
import { useMemo, useState } from 'preact/hooks'
import { sectionPath } from '../../state/address.ts'
import type { Page } from '../../state/page.ts'
import { Task } from '../../state/task.ts'
import { METHODS, methodOf } from '../../state/train/hyperparameters.ts'
import type { Train } from '../../state/train/train.ts'
import { readTrainingData, type TrainingFile } from '../../state/train/training-file.ts'
import { text } from '../../text-train.ts'
import { FileUpload } from '../../transport/file-upload.ts'
import { type Hyperparameter, TRAINABLE, type Trainable } from '../../transport/training.ts'
import { FailureNote } from '../FailureNote.tsx'
import { FileButton } from '../FileButton.tsx'
import { useFiles } from '../use-files.ts'
import { useStop } from '../use-stop.ts'
import { Hyperparameters } from './Hyperparameters.tsx'
import { MethodPick } from './MethodPick.tsx'
import { type Paired, Pairing } from './Pairing.tsx'
import { StoredFileList } from './StoredFileList.tsx'

const words = text.begin
const ACCEPTED = '.zip,.csv,.tsv,.jsonl,.tmx,application/zip,text/csv,image/*'

/** From a file to a training: looked at here, uploaded in parts, begun. */
export function NewJob({ page, train, active }: { page: Page; train: Train; active: boolean }) {
  const reading = useMemo(() => new Task(), [])
  const starting = useMemo(() => new Task(), [])
  const upload = useMemo(() => signal<FileUpload | null>(null), [])
  const [data, setData] = useState<TrainingFile | null>(null)
  const [model, setModel] = useState<Trainable>('vae')
  const [name, setName] = useState('')
  const [paired, setPaired] = useState<Paired | null>(null)
  const [chosen, setChosen] = useState<Readonly<Record<string, Hyperparameter>>>({})
  useStop(page, active, starting)
  const take = (files: readonly File[]) => {
    if (files.length === 0 || starting.busy.value) return
    void reading.run(async (stop) => {
      const read = await readTrainingData(files)
      if (stop.aborted) return
      upload.value = new FileUpload(page.http, read.file)
      setData(read)
      setPaired(pairedOf(read))
      setName(
        read.file.name
          .replace(/\.[^.]*$/, '')
          .replaceAll(/[^\w-]+/g, '-')
          .slice(0, 40),
      )
      if (METHODS[model].settings[read.kind] === undefined) pick(suiting(read)[0] ?? 'vae')
    })
  }
  const dragging = useFiles(active, take)
  const pick = (next: Trainable) => {
    setModel(next)
    setChosen({})
  }
  const settings = data && METHODS[model].settings[data.kind]
  const start = () =>
    starting.run(async (stop) => {
      const sending = upload.value
      if (!sending || !data) return
      const job = await train.api.create({
        model: paired?.base ?? model,
        training_file: await sending.run(stop),
        ...(name === '' ? {} : { suffix: name }),
        metadata: { name: name || data.file.name, file: data.file.name },
        method: methodOf(model, chosen, paired),
      })
      train.know(job)
      page.address.go(sectionPath('train', job.id))
    })
  return (
    <div class={`scroll ${dragging ? 'dragging' : ''}`}>
      <section class="studio-column narrow" aria-label={text.list.begin}>
        <h2>{words.title}</h2>
        <div class="drop-line">
          <FileButton label={data ? text.files.other : text.files.pick} accept={ACCEPTED} multiple onFiles={take} />
          {data && (
            <p>
              <strong>{data.file.name}</strong>{' '}
              <span class="note">
                {describe(data)}, {text.size(data.file.size)}
              </span>
            </p>
          )}
        </div>
        {!data && <p class="note">{text.files.drop}</p>}
        <FailureNote error={reading.failure.value} />
        {data && settings && (
          <form
            class="new-job"
            onSubmit={(event) => {
              event.preventDefault()
              if (starting.busy.value) starting.stop()
              else void start()
            }}
          >
            <MethodPick models={suiting(data)} value={model} onPick={pick} />
            {data.kind === 'pairs' && paired && (
              <Pairing http={page.http} languages={data.languages} value={paired} onChange={setPaired} />
            )}
            <label class="job-name">
              <span>{words.name}</span>
              <input
                value={name}
                maxLength={40}
                pattern="[A-Za-z0-9_\-]*"
                title={words.nameHint}
                onInput={(event) => setName(event.currentTarget.value)}
              />
              <small>{words.nameHint}</small>
            </label>
            <Hyperparameters settings={settings} data={data} chosen={chosen} onChange={setChosen} />
            <FailureNote error={starting.failure.value} />
            <UploadProgress upload={upload.value} busy={starting.busy.value} />
            <div class="button-line">
              <button type="submit" class="filled">
                {starting.busy.value ? words.stop : words.start}
              </button>
            </div>
          </form>
        )}
        <StoredFileList page={page} />
      </section>
    </div>
  )
}

function describe(data: TrainingFile): string {
  if (data.kind === 'pairs') return text.files.pairs
  return data.kind === 'pictures' ? text.files.pictures(data.count) : text.files.table(data.columns.length)
}

/** The first two languages that a memory has. */
function pairedOf(data: TrainingFile): Paired | null {
  const [source, target] = data.kind === 'pairs' ? data.languages : []
  return source === undefined || target === undefined ? null : { source, target, base: null }
}

/** What can be trained on it. */
function suiting({ kind }: TrainingFile): readonly Trainable[] {
  return TRAINABLE.filter((model) => METHODS[model].settings[kind] !== undefined)
}

function UploadProgress({ upload, busy }: { upload: FileUpload | null; busy: boolean }) {
  if (!upload) return null
  const total = upload.file.size
  const sent = upload.sent.value
  if (!busy && (sent === 0 || sent === total)) return null
  return (
    <div class="progress-line" role="status">
      <progress max={total} value={sent} aria-label={words.uploading(sent, total)} />
      <span class="note small">{words.uploading(sent, total)}</span>
      {!busy && <span class="note small">{words.stopped}</span>}
    </div>
  )
}
