/** What a training job is, and where it stands: plain data, kept as JSON. Times are milliseconds. */
import type { AnyPublished, PublishedTranslation } from '#protocol/published-model.ts'
import type { JobCheckpoint, JobCreate, JobError, JobEvent, JobStatus } from '#protocol/training.ts'
import type { NewCheckpoint } from '#protocol/training-lease.ts'

/** What it was made of; it never changes. */
export interface JobRecord {
  readonly id: string
  readonly owner: string
  readonly createdAt: number
  readonly model: JobCreate['model']
  /** What is tuned, as it was then; jobs that are older have no such field. */
  readonly base?: PublishedTranslation | null
  readonly method: JobCreate['method']
  readonly seed: number
  readonly suffix: string | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly trainingFile: string
  readonly validationFile: string | null
}

/** Who works on it. */
export interface Lease {
  readonly runner: string
  /** Higher than that of any lease before. */
  readonly token: number
  readonly until: number
  /** It had run out while nobody was there to renew it, and was given time once. */
  readonly extended: boolean
  /** Events that it has told. */
  readonly heard: number
}

export interface JobState {
  readonly status: JobStatus
  /** Whether its files have been looked at. */
  readonly validated: boolean
  /** Beside the status: who is to stop holds it until it has. */
  readonly lease: Lease | null
  /** Of the last lease. */
  readonly token: number
  /** In a row, without a new checkpoint between them. */
  readonly failures: number
  readonly checkpoint: NewCheckpoint | null
  /** What was trained, while it is being published: there is no way back from here. */
  readonly publishing: AnyPublished | null
  readonly model: string | null
  /** The last sheet of samples. */
  readonly samples: string | null
  readonly resultFiles: readonly string[]
  readonly estimatedFinish: number | null
  readonly finishedAt: number | null
  readonly error: JobError | null
  /** Grows with every change that the list of jobs shows. */
  readonly version: number
  /** The version that the list has. */
  readonly listed: number
  /** Something that it left in the object store is to be taken away. */
  readonly littered: boolean
}

export const INITIAL: JobState = {
  status: 'validating_files',
  validated: false,
  lease: null,
  token: 0,
  failures: 0,
  checkpoint: null,
  publishing: null,
  model: null,
  samples: null,
  resultFiles: [],
  estimatedFinish: null,
  finishedAt: null,
  error: null,
  version: 0,
  listed: 0,
  littered: false,
}

export type NewEvent = Pick<JobEvent, 'level' | 'message' | 'type' | 'data'>

/** What a transition makes of a state, and what is to be told of it. */
export interface Change {
  readonly state: JobState
  readonly events: readonly NewEvent[]
  /** To be listed among the job's. */
  readonly checkpoint?: NewCheckpoint
}

const ENDED: readonly JobStatus[] = ['succeeded', 'failed', 'cancelled']
export const hasEnded = ({ status }: JobState): boolean => ENDED.includes(status)

/** Of a hyperparameter: it is not left to the data. */
export const isGiven = (value: unknown): boolean => value !== undefined && value !== 'auto'

/** Part of its id: names its model, its events and its checkpoints. */
export const shortId = (id: string): string => id.slice(id.indexOf('-') + 1).slice(0, 12)

/** Of a model that was tuned before, by what that began with. */
export const modelIdOf = ({ id, model, suffix }: JobRecord): string => {
  const [first = '', origin = ''] = model.split(':')
  return `ft:${first === 'ft' ? origin : first}:${suffix ?? ''}:${shortId(id)}`
}

export function checkpointOf(record: JobRecord, state: JobState, made: NewCheckpoint & { at: number }): JobCheckpoint {
  const isLast = state.status === 'succeeded' && state.checkpoint?.step === made.step
  const model = modelIdOf(record)
  return {
    id: `ftckpt-${shortId(record.id)}-${made.step}`,
    object: 'fine_tuning.job.checkpoint',
    created_at: Math.floor(made.at / 1000),
    fine_tuning_job_id: record.id,
    fine_tuned_model_checkpoint: isLast ? model : `${model}:ckpt-step-${made.step}`,
    metrics: { step: made.step, ...made.metrics },
    step_number: made.step,
  }
}
