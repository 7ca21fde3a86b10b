import { useEffect } from 'preact/hooks'
import type { Page } from '../../state/page.ts'
import type { JobWatch } from '../../state/train/job-watch.ts'
import type { Train } from '../../state/train/train.ts'
import { text } from '../../text-train.ts'
import { type Job, contentPath, kindOf } from '../../transport/training.ts'
import { Icon } from '../Icon.tsx'
import { lazily } from '../lazily.tsx'
import { FailureNote } from '../FailureNote.tsx'
import { FinishedModel } from './FinishedModel.tsx'
import { JobHead } from './JobHead.tsx'
import { SampleSheets } from './SampleSheets.tsx'

const Curves = lazily(() => import('./Curves.tsx').then((part) => part.Curves))
const words = text.job

/** A training as it goes on: how it stands, its curves, what it makes. */
export function JobPage({ page, train, id, active }: { page: Page; train: Train; id: string; active: boolean }) {
  const watch = train.watch(id)
  const job = watch.job.value
  useEffect(() => {
    if (!active) return
    watch.start()
    return () => watch.stop()
  }, [watch, active])
  useEffect(() => {
    if (job) train.know(job)
  }, [train, job])
  if (watch.missing.value) return <p class="section-note">{words.missing}</p>
  if (!job) return <FailureNote error={watch.failure.value} />
  const { curves, sheets } = watch.record.value
  return (
    <div class="scroll">
      <article class="studio-column" aria-label={text.list.label}>
        <JobHead watch={watch} job={job} />
        <FailureNote error={watch.failure.value} />
        {job.fine_tuned_model && <FinishedModel page={page} job={job} />}
        <section aria-label={words.curves}>
          <h3>{words.curves}</h3>
          {curves.length > 0 ? (
            <Curves curves={curves} theme={page.settings.value.theme} />
          ) : (
            <p class="note small">{words.curvesWait}</p>
          )}
        </section>
        {(drawn(job) || sheets.length > 0) && <SampleSheets sheets={sheets} />}
        <Messages watch={watch} />
        <Facts job={job} />
      </article>
    </div>
  )
}

/** Whether what it makes can be shown as pictures. */
function drawn(job: Job): boolean {
  const kind = kindOf(job)
  return kind !== 'autoencoder' && kind !== 'translation'
}

function Messages({ watch }: { watch: JobWatch }) {
  const { messages } = watch.record.value
  if (messages.length === 0) return null
  return (
    <section aria-label={words.messages}>
      <h3>{words.messages}</h3>
      <ul class="messages">
        {messages.toReversed().map(({ id, level, message, created_at }) => (
          <li key={id}>
            <time class="note small">{text.when(created_at)}</time>
            <span class={level === 'error' ? 'failure' : ''}>{message}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Facts({ job }: { job: Job }) {
  const table = job.result_files.at(-1)
  const set = Object.entries(hyperparametersOf(job)).filter(([, value]) => value !== 'auto')
  return (
    <details class="hyperparameters">
      <summary>{words.settings}</summary>
      <dl class="facts-list">
        <div>
          <dt>{words.file}</dt>
          <dd>{job.metadata?.file ?? ''}</dd>
        </div>
        <div>
          <dt>{words.seed}</dt>
          <dd>{job.seed}</dd>
        </div>
        {set.map(([name, value]) => (
          <div key={name}>
            <dt>{text.begin.settings[name] ?? name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
      {table && (
        <a class="outlined" href={contentPath(table)} download>
          <Icon name="file" />
          {words.metricsTable}
        </a>
      )}
    </details>
  )
}

function hyperparametersOf({ method }: Job): Readonly<Record<string, unknown>> {
  const own = method[String(method.type)]
  const found = own instanceof Object && 'hyperparameters' in own ? own.hyperparameters : {}
  return found instanceof Object ? { ...found } : {}
}
