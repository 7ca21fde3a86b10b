import { useEffect, useMemo } from 'preact/hooks'
import '../../style/studio.css'
import '../../style/train.css'
import { sectionPath } from '../../state/address.ts'
import type { Page } from '../../state/page.ts'
import { hasEnded } from '../../state/train/job-watch.ts'
import { Train } from '../../state/train/train.ts'
import { text as pageText } from '../../text.ts'
import { text } from '../../text-train.ts'
import { Kept } from '../Kept.tsx'
import { followed } from '../links.ts'
import { JobList } from './JobList.tsx'
import { JobPage } from './JobPage.tsx'
import { NewJob } from './NewJob.tsx'

const MS_BETWEEN_LOOKS = 5_000

/** Trainings: the list beside, and the one that is looked at or begun. */
export function TrainPage({ page }: { page: Page }) {
  const train = useMemo(() => new Train(page.http), [page])
  const isOpen = page.address.section.value === 'train'
  const isThere = page.server.signedIn.value === true && page.server.reachable.value
  const jobId = page.address.part.value
  const isBusy = train.jobs.value === null || train.jobs.value.some((job) => !hasEnded(job))
  useEffect(() => {
    if (!isOpen || !isThere) return
    void train.load()
    if (!isBusy) return
    const timer = setInterval(() => void train.load(), MS_BETWEEN_LOOKS)
    return () => clearInterval(timer)
  }, [train, isOpen, isThere, isBusy])
  const isNew = jobId === null
  return (
    <>
      <header class="section-head">
        <h1>{pageText.nav.train}</h1>
        {!isNew && (
          <a
            class="tab phone-only"
            href={sectionPath('train')}
            onClick={(event) => followed(event, () => page.address.go(sectionPath('train')))}
          >
            {text.job.back}
          </a>
        )}
      </header>
      <div class={`train ${isNew ? 'new' : ''}`}>
        <JobList page={page} train={train} current={jobId} />
        <div class="train-work">
          <Kept shown={isNew}>
            <NewJob page={page} train={train} active={isOpen && isNew} />
          </Kept>
          {jobId !== null && <JobPage key={jobId} page={page} train={train} id={jobId} active={isOpen && isThere} />}
        </div>
      </div>
    </>
  )
}
