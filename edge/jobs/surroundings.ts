/** What a training job does outside its object: in D1 and in the object store. Each may be done again. */
import type { AnyPublished } from '#protocol/published-model.ts'
import type { Job, JobMetrics } from '#protocol/training.ts'
import type { Bindings } from '../env.ts'
import { sweep } from '../files/sweep.ts'
import { writeObject } from '../files/write-object.ts'
import { keyOfFile, resultFile } from '../storage/files.ts'
import { updateJob } from '../storage/jobs.ts'
import { sha256 } from '../storage/secrets.ts'
import { manifestKey, needOnly, newModel } from '../storage/trained-models.ts'
import { checkFiles } from './check-files.ts'
import { filesOf, type JobSurroundings } from './job-run.ts'
import { hasEnded, type JobRecord, type JobState, modelIdOf, shortId } from './job-state.ts'
import { metricsTable } from './metrics-table.ts'

export interface Outside {
  readonly env: Bindings
  /** All metrics that the job has told. */
  readonly metrics: () => readonly JobMetrics[]
  readonly log: (error: unknown) => void
}

export function surroundingsOf({ env, metrics, log }: Outside): JobSurroundings {
  return {
    check: (record) => checkFiles(env, record),
    async holds(keys) {
      const heads = await Promise.all(keys.map((key) => env.OBJECTS.head(key)))
      return heads.every((head) => head !== null)
    },
    publish: (record, state) => publish(env, record, state, metrics()),
    list: (_record: JobRecord, job: Job, version) => updateJob(env.DB, job, version),
    clear: (record, state) => clear(env, record, state),
    now: () => Date.now(),
    log,
  }
}

async function publish(
  env: Bindings,
  record: JobRecord,
  { publishing, samples }: JobState,
  metrics: readonly JobMetrics[],
): Promise<string[]> {
  if (!publishing) throw new TypeError('nothing is being published')
  const { owner } = record
  const model: AnyPublished = { ...publishing, id: modelIdOf(record), owner }
  const table = await writeTable(env, record, metrics)
  await needOnly(env.DB, model.id, filesOf(model.parts), [newModel(env.DB, owner, model), table.statement])
  // The one thing that makes it a model: once, if there is none.
  await env.OBJECTS.put(manifestKey(model.id), JSON.stringify(model), { onlyIf: { etagDoesNotMatch: '*' } })
  return [...(samples === null ? [] : [samples]), table.id]
}

async function writeTable(env: Bindings, record: JobRecord, metrics: readonly JobMetrics[]) {
  const id = `file-${(await sha256(`metrics ${record.id}`)).slice(0, 24)}`
  const text = new TextEncoder().encode(metricsTable(metrics))
  const written = await writeObject(
    env.OBJECTS,
    keyOfFile(id),
    (async function* () {
      yield text
    })(),
  )
  const filename = `metrics-${shortId(record.id)}.csv`
  const file = {
    id,
    owner: record.owner,
    filename,
    purpose: 'fine-tune-results',
    lifetime: null,
    now: Date.now(),
  } as const
  return { id, statement: resultFile(env.DB, { ...file, bytes: written.bytes, sha256: written.sha256 }) }
}

/** Of the checkpoints the newest stays, and what may be a newer one; nothing, once the job has ended. */
async function clear(env: Bindings, record: JobRecord, state: JobState): Promise<void> {
  const prefix = `checkpoints/${record.id}/`
  const { objects: found } = await env.OBJECTS.list({ prefix })
  const ended = hasEnded(state)
  const current = found.find(({ key }) => key === prefix + state.checkpoint?.sha256)
  const old = found.filter(({ uploaded }) => ended || (current && uploaded < current.uploaded))
  if (old.length > 0) await env.OBJECTS.delete(old.map(({ key }) => key))
  if (!ended || state.status === 'succeeded') return
  await needOnly(env.DB, modelIdOf(record), [])
  await sweep(env)
}
