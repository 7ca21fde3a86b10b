/** Finds a job for a runner, and gives it to it with what it has to know. */
import type { LeasedJob } from '#protocol/training-lease.ts'
import type { Bindings } from '../env.ts'
import { findFile } from '../storage/files.ts'
import { jobsToBegin, waitingJobs } from '../storage/jobs.ts'
import type { Leased } from './job-object.ts'

/** Asked in turns; the list may be a moment behind. */
const MOST_ASKED = 20
/** A job that has not begun by then was left by an edge that is gone. */
const BEGUN_MS = 5_000

export async function leaseJob(env: Bindings, runner: string): Promise<LeasedJob | null> {
  for (const record of await jobsToBegin(env.DB, Date.now() - BEGUN_MS)) {
    await env.JOBS.getByName(record.id).begin(JSON.stringify(record))
  }
  for (const id of await waitingJobs(env.DB, MOST_ASKED)) {
    const leased = await env.JOBS.getByName(id).lease(runner)
    if (leased !== null) return withFiles(env, JSON.parse(leased) as Leased)
  }
  return null
}

async function withFiles(env: Bindings, leased: Leased): Promise<LeasedJob> {
  const file = async (id: string) => {
    const found = await findFile(env.DB, leased.owner, id, Date.now())
    // One that has been deleted is missed when it is read.
    return { id, filename: found?.filename ?? '', bytes: found?.bytes ?? 0 }
  }
  return {
    ...leased,
    training_file: await file(leased.training_file),
    validation_file: leased.validation_file === null ? null : await file(leased.validation_file),
  }
}
