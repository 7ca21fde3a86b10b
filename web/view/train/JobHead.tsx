import type { JobWatch } from '../../state/train/job-watch.ts'
import { text } from '../../text-train.ts'
import type { Job } from '../../transport/training.ts'
import { kindNameOf, nameOf } from './JobList.tsx'

const words = text.job
type Change = 'pause' | 'resume' | 'cancel'
const CHANGES: Readonly<Record<Job['status'], readonly Change[]>> = {
  validating_files: ['cancel'],
  queued: ['pause', 'cancel'],
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  succeeded: [],
  failed: [],
  cancelled: [],
}

/** Its name, how it stands and how far it is, and what can be done with it. */
export function JobHead({ watch, job }: { watch: JobWatch; job: Job }) {
  const { progress } = watch.record.value
  const isRunning = job.status === 'running'
  return (
    <header class="job-head">
      <div class="title-line">
        <div>
          <h2>{nameOf(job)}</h2>
          <p class="note" role="status">
            <span class={`state-dot ${job.status}`} /> {text.states[job.status]} · {kindNameOf(job)}
          </p>
        </div>
        <div class="button-line">
          {CHANGES[job.status].map((change) => (
            <button key={change} type="button" class="outlined" onClick={() => void watch.change(change)}>
              {words[change]}
            </button>
          ))}
        </div>
      </div>
      {job.error && (
        <p class="failure" role="alert">
          {job.error.message}
        </p>
      )}
      {progress && job.status !== 'succeeded' && (
        <progress
          max={progress.total_steps}
          value={progress.step}
          aria-label={words.step(progress.step, progress.total_steps)}
        />
      )}
      <p class="note small job-facts">
        {progress && <span>{words.step(progress.step, progress.total_steps)}</span>}
        {progress && <span>{words.epoch(progress.epoch)}</span>}
        {progress && isRunning && <span>{words.left(progress.seconds_left)}</span>}
        {progress && <span>{words.speed(progress.samples_per_second)}</span>}
        <span>
          {job.finished_at ? words.ended(text.when(job.finished_at)) : words.began(text.when(job.created_at))}
        </span>
      </p>
    </header>
  )
}
