import { sectionPath } from '../../state/address.ts'
import type { Page } from '../../state/page.ts'
import type { Train } from '../../state/train/train.ts'
import { text } from '../../text-train.ts'
import { type Job, kindOf } from '../../transport/training.ts'
import { Icon } from '../Icon.tsx'
import { followed } from '../links.ts'
import { FailureNote } from '../FailureNote.tsx'

/** All trainings, newest first. */
export function JobList({ page, train, current }: { page: Page; train: Train; current: string | null }) {
  const jobs = train.jobs.value
  const words = text.list
  return (
    <nav class="jobs" aria-label={words.label}>
      <a
        class="new-chat"
        href={sectionPath('train')}
        aria-current={current === null ? 'page' : undefined}
        onClick={(event) => followed(event, () => page.address.go(sectionPath('train')))}
      >
        <Icon name="plus" />
        {words.begin}
      </a>
      <FailureNote error={train.failure.value} />
      {jobs?.length === 0 && <p class="panel-note">{words.empty}</p>}
      {jobs === null && !train.failure.value && <p class="panel-note">{words.loading}</p>}
      <ul class="job-rows" onKeyDown={walk}>
        {jobs?.map((job) => (
          <JobRow key={job.id} page={page} job={job} current={job.id === current} />
        ))}
      </ul>
    </nav>
  )
}

/** What its owner knows it by. */
export const nameOf = (job: Job): string => job.metadata?.name || job.metadata?.file || kindNameOf(job)

/** What kind of model it makes. */
export function kindNameOf(job: Job): string {
  const kind = kindOf(job)
  return kind === null ? job.model : text.job.model[kind]
}

function JobRow({ page, job, current }: { page: Page; job: Job; current: boolean }) {
  const path = sectionPath('train', job.id)
  return (
    <li class={`row ${current ? 'current' : ''}`}>
      <a
        href={path}
        aria-current={current ? 'page' : undefined}
        onClick={(event) => followed(event, () => page.address.go(path))}
      >
        <span class={`state-dot ${job.status}`} />
        {nameOf(job)}
        <small>
          {text.states[job.status]} · {text.when(job.created_at)}
        </small>
      </a>
    </li>
  )
}

/** Arrows walk the list. */
function walk(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  const links = [...event.currentTarget.querySelectorAll('a')]
  const at = links.indexOf(document.activeElement as HTMLAnchorElement)
  if (step === 0 || at < 0) return
  event.preventDefault()
  links[at + step]?.focus()
}
