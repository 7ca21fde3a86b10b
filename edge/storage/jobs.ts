/** The list of training jobs in D1. Each job's own object knows better where it stands; here it is found. */
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import type { Job } from '#protocol/training.ts'
import type { JobRecord } from '../jobs/job-state.ts'
import type { Database, Statement } from './database.ts'

const RETRY_SECONDS = 30
const OPEN = "status IN ('validating_files', 'queued', 'running', 'paused')"
const OPEN_OF = `SELECT COUNT(*) AS count FROM training_jobs WHERE owner = ? AND ${OPEN}`

/** A new one; its transaction fails if its owner has enough of them, since an owner is never null. */
export function newJob(database: Database, record: JobRecord, job: Job): Statement {
  return database
    .prepare(
      `INSERT INTO training_jobs (id, owner, status, record, job, created_at)
       SELECT ?, CASE WHEN open.count < ? THEN ? END, ?, ?, ?, ? FROM (${OPEN_OF}) AS open`,
    )
    .bind(
      record.id,
      LIMITS.ownerJobs,
      record.owner,
      job.status,
      JSON.stringify(record),
      JSON.stringify(job),
      record.createdAt,
      record.owner,
    )
}

/** @throws ApiError 429 if the owner has enough jobs that have not ended */
export async function requireFewJobs(database: Database, owner: string): Promise<void> {
  const count = (await database.prepare(OPEN_OF).bind(owner).first<{ count: number }>())?.count ?? 0
  if (count < LIMITS.ownerJobs) return
  const message = `You may have ${LIMITS.ownerJobs} training jobs that have not ended, and have ${count}.`
  throw new ApiError('rate_limit_exceeded', message, { retryAfter: RETRY_SECONDS })
}

export async function findJob(database: Database, owner: string, id: string): Promise<JobRecord | null> {
  const row = await database
    .prepare('SELECT record FROM training_jobs WHERE id = ? AND owner = ?')
    .bind(id, owner)
    .first<{ record: string }>()
  return row && (JSON.parse(row.record) as JobRecord)
}

export interface JobPage {
  readonly limit: number
  readonly after?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/**
 * Newest first.
 * @throws ApiError 400 if there is none to list `after`
 */
export async function listJobs(
  database: Database,
  owner: string,
  { limit, after, metadata = {} }: JobPage,
): Promise<{ data: Job[]; hasMore: boolean }> {
  if (after !== undefined && !(await findJob(database, owner, after))) {
    throw new ApiError('invalid_value', `Invalid 'after': there is no '${after}'.`, { param: 'after' })
  }
  const wanted = Object.entries(metadata)
  const has = `EXISTS (SELECT 1 FROM json_each(job, '$.metadata') WHERE key = ? AND value = ?)`
  const { results } = await database
    .prepare(
      `SELECT job FROM training_jobs WHERE owner = ? ${wanted.map(() => `AND ${has}`).join(' ')}
       ${after === undefined ? '' : 'AND position < (SELECT position FROM training_jobs WHERE id = ?)'}
       ORDER BY position DESC LIMIT ?`,
    )
    .bind(owner, ...wanted.flat(), ...(after === undefined ? [] : [after]), limit + 1)
    .all<{ job: string }>()
  const jobs = results.map(({ job }) => JSON.parse(job) as Job)
  return { data: jobs.slice(0, limit), hasMore: jobs.length > limit }
}

/** What a job's object tells; what it told before is older. */
export async function updateJob(database: Database, job: Job, version: number): Promise<void> {
  await database
    .prepare('UPDATE training_jobs SET status = ?, job = ?, version = ? WHERE id = ? AND version < ?')
    .bind(job.status, JSON.stringify(job), version, job.id, version)
    .run()
}

/** Those that wait for a runner: first of whom has fewest at work, then by age. */
export async function waitingJobs(database: Database, most: number): Promise<string[]> {
  const { results } = await database
    .prepare(
      `SELECT id FROM training_jobs AS job WHERE status = 'queued' ORDER BY
         (SELECT COUNT(*) FROM training_jobs AS other WHERE other.owner = job.owner AND other.status = 'running'),
         position LIMIT ?`,
    )
    .bind(most)
    .all<{ id: string }>()
  return results.map(({ id }) => id)
}

/** Jobs that were written down, and whose edge was gone before it began them. */
export async function jobsToBegin(database: Database, before: number): Promise<JobRecord[]> {
  const { results } = await database
    .prepare("SELECT record FROM training_jobs WHERE status = 'validating_files' AND version = 0 AND created_at < ?")
    .bind(before)
    .all<{ record: string }>()
  return results.map(({ record }) => JSON.parse(record) as JobRecord)
}
