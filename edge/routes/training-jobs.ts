/** `/v1/fine_tuning/jobs`: training jobs, by OpenAI's shapes. */
import { ApiError } from '#protocol/error.ts'
import {
  checkpointListSchema,
  checkpointQuerySchema,
  eventListSchema,
  eventQuerySchema,
  jobCreateSchema,
  jobListSchema,
  jobQuerySchema,
  jobSchema,
} from '#protocol/training.ts'
import { counted } from '../accounts/counted.ts'
import { type EdgeContext, principalOf } from '../context.ts'
import { readBody } from '../http/body.ts'
import { validate } from '../http/validate.ts'
import { createJob } from '../jobs/create-job.ts'
import type { Answer, JobObject } from '../jobs/job-object.ts'
import { findJob, listJobs } from '../storage/jobs.ts'
import type { Operation } from './operation.ts'
import { listed } from './page-of.ts'

const PATH = '/v1/fine_tuning/jobs'
const common = { scope: 'training', tag: 'Training' } as const

export const trainingOperations: readonly Operation[] = [
  {
    ...common,
    method: 'POST',
    path: PATH,
    summary: 'Train a model',
    description: 'The finished model is the owner’s, and runs at the edge.',
    body: jobCreateSchema,
    answer: { description: 'The job', schema: jobSchema },
    errors: ['not_found', 'rate_limit_exceeded', 'idempotency_key_reused'],
    example: {
      model: 'vae',
      training_file: 'file-abc123',
      method: { type: 'vae', vae: { hyperparameters: { n_epochs: 20 } } },
    },
    async handle(c) {
      const body = await readBody(c.req.raw, jobCreateSchema)
      return counted(c, body.model, () => createJob(c, body))
    },
  },
  {
    ...common,
    method: 'GET',
    path: PATH,
    summary: 'List the training jobs',
    query: jobQuerySchema,
    answer: { description: 'A page of jobs, newest first', schema: jobListSchema },
    async handle(c) {
      const query = validate(jobQuerySchema, withMetadata(c.req.query()))
      return c.json(listed(await listJobs(c.env.DB, principalOf(c).owner, query)))
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}`,
    summary: 'Describe a training job',
    answer: { description: 'The job', schema: jobSchema },
    errors: ['not_found'],
    handle: async (c) => json(await (await jobOf(c)).job()),
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/events`,
    summary: 'List what happened in a training job',
    description: 'Newest first; with `order=asc` and the last id known as `after`, what is new.',
    query: eventQuerySchema,
    answer: { description: 'A page of events', schema: eventListSchema },
    errors: ['not_found'],
    async handle(c) {
      const query = validate(eventQuerySchema, c.req.query())
      return c.json(listed(JSON.parse(opened(await (await jobOf(c)).events(query)))))
    },
  },
  {
    ...common,
    method: 'GET',
    path: `${PATH}/{id}/checkpoints`,
    summary: 'List the checkpoints of a training job',
    query: checkpointQuerySchema,
    answer: { description: 'A page of checkpoints, newest first', schema: checkpointListSchema },
    errors: ['not_found'],
    async handle(c) {
      const query = validate(checkpointQuerySchema, c.req.query())
      return c.json(listed(JSON.parse(opened(await (await jobOf(c)).checkpoints(query)))))
    },
  },
  control(
    'pause',
    'Pause a training job',
    'It keeps its place among the owner’s jobs, and goes on from its checkpoint.',
  ),
  control('resume', 'Resume a training job', 'One that is not paused stays as it is.'),
  control('cancel', 'Cancel a training job', 'Nothing of it is kept but the job itself, its events and its samples.'),
]

function control(what: 'pause' | 'resume' | 'cancel', summary: string, description: string): Operation {
  return {
    ...common,
    method: 'POST',
    path: `${PATH}/{id}/${what}`,
    summary,
    description,
    answer: { description: 'The job', schema: jobSchema },
    errors: ['not_found', 'invalid_job_state'],
    handle: async (c) => json(opened(await (await jobOf(c)).control(what))),
  }
}

/**
 * The object of the job that a path names. One that the edge was killed over, after it was written down, begins now.
 * @throws ApiError 404 when it is not there, or another's
 */
async function jobOf(c: EdgeContext): Promise<JobObject> {
  const id = c.req.param('id') ?? ''
  const record = await findJob(c.env.DB, principalOf(c).owner, id)
  if (!record) throw new ApiError('not_found', `There is no training job '${id.slice(0, 100)}'.`)
  const job = c.env.JOBS.getByName(id)
  await job.begin(JSON.stringify(record))
  return job
}

/** @throws ApiError what it was refused with */
function opened(answer: Answer | null): string {
  if (!answer) throw new TypeError('the job has not begun')
  if ('json' in answer) return answer.json
  const { error, retryAfter } = answer.refusal
  throw ApiError.fromDetail(error, 'internal_error', retryAfter ?? undefined)
}

function json(text: string | null): Response {
  if (text === null) throw new TypeError('the job has not begun')
  return new Response(text, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
}

/** `metadata[name]=value`, as OpenAI's clients write it. */
function withMetadata(query: Readonly<Record<string, string>>): Record<string, unknown> {
  const entries = Object.entries(query).map(([name, value]) => ({
    key: /^metadata\[(.*)\]$/s.exec(name)?.[1],
    name,
    value,
  }))
  const metadata = entries.flatMap(({ key, value }) => (key === undefined ? [] : [[key, value] as const]))
  const others = entries.flatMap(({ key, name, value }) => (key === undefined ? [[name, value] as const] : []))
  return { ...Object.fromEntries(others), ...(metadata.length > 0 ? { metadata: Object.fromEntries(metadata) } : {}) }
}
