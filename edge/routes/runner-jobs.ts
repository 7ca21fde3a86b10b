/**
 * `/internal/jobs…`: runners take jobs, tell how they go, and put what they make into the object store. Not part of the
 * API: they know the runners' secret alone.
 */
import { ApiError } from '#protocol/error.ts'
import { modelFileSchema } from '#protocol/published-model.ts'
import { endSchema, leaseRequestSchema, objectKindSchema, reportSchema } from '#protocol/training-lease.ts'
import * as v from 'valibot'
import type { EdgeContext } from '../context.ts'
import { sweep } from '../files/sweep.ts'
import { readBody } from '../http/body.ts'
import { logFailure } from '../http/log.ts'
import { validate } from '../http/validate.ts'
import type { Answer } from '../jobs/job-object.ts'
import { leaseJob } from '../jobs/lease-job.ts'
import { takeObject } from '../jobs/take-object.ts'
import { keyOfFile } from '../storage/files.ts'
import { requireRunner } from '../runners/require-runner.ts'

const PATH = '/internal/jobs'
const MOST_REPORT_BYTES = 2 << 20
const tokenSchema = v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number))
const heldSchema = v.object({ owner: v.string(), model: v.string() })
export type Held = v.InferOutput<typeof heldSchema>
const objectSchema = v.strictObject({
  kind: objectKindSchema,
  sha256: modelFileSchema.entries.sha256,
  token: tokenSchema,
  filename: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/))),
})

/** By method and path, as the router has them. */
export const RUNNER_JOB_ROUTES: readonly (readonly [
  'GET' | 'POST' | 'PUT',
  string,
  (c: EdgeContext) => Promise<Response>,
])[] = [
  ['POST', `${PATH}/lease`, leaseRoute],
  ['POST', `${PATH}/:id/report`, reportRoute],
  ['POST', `${PATH}/:id/end`, endRoute],
  ['GET', `${PATH}/:id/data/:file`, dataRoute],
  ['GET', `${PATH}/:id/checkpoints/:sha256`, checkpointRoute],
  ['PUT', `${PATH}/:id/:kind/:sha256`, objectRoute],
]

/** 204: there is nothing to do. */
async function leaseRoute(c: EdgeContext): Promise<Response> {
  await requireRunner(c)
  const { runner } = await readBody(c.req.raw, leaseRequestSchema)
  const leased = await leaseJob(c.env, runner)
  c.executionCtx.waitUntil(
    sweep(c.env).catch((error: unknown) =>
      logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, error),
    ),
  )
  return leased === null ? new Response(null, { status: 204 }) : c.json(leased)
}

async function reportRoute(c: EdgeContext): Promise<Response> {
  await requireRunner(c)
  const told = await readBody(c.req.raw, reportSchema, { most: MOST_REPORT_BYTES })
  return answer(await objectOf(c).report(JSON.stringify(told)))
}

async function endRoute(c: EdgeContext): Promise<Response> {
  await requireRunner(c)
  const told = await readBody(c.req.raw, endSchema, { most: MOST_REPORT_BYTES })
  return answer(await objectOf(c).end(JSON.stringify(told)))
}

async function dataRoute(c: EdgeContext): Promise<Response> {
  await requireHold(c)
  return objectAnswer(c, keyOfFile(c.req.param('file') ?? ''))
}

async function checkpointRoute(c: EdgeContext): Promise<Response> {
  await requireHold(c)
  return objectAnswer(c, `checkpoints/${idOf(c)}/${c.req.param('sha256')}`)
}

async function objectRoute(c: EdgeContext): Promise<Response> {
  const { kind, sha256, filename } = validate(objectSchema, {
    kind: c.req.param('kind'),
    sha256: c.req.param('sha256'),
    ...c.req.query(),
  })
  const held = await requireHold(c)
  return c.json(await takeObject(c, { job: idOf(c), held, kind, sha256, filename }))
}

/** Whose job it is, if who asks holds it. @throws ApiError 401, 404, or 409 */
async function requireHold(c: EdgeContext): Promise<Held> {
  await requireRunner(c)
  const token = validate(tokenSchema, c.req.query('token'))
  return v.parse(heldSchema, JSON.parse(opened(await objectOf(c).hold(token))))
}

async function objectAnswer(c: EdgeContext, key: string): Promise<Response> {
  const object = await c.env.OBJECTS.get(key)
  if (!object) throw new ApiError('not_found', 'There is no such object.')
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(object.size) }
  // Node's and the Worker's types of a stream differ in name alone.
  return new Response(object.body as unknown as ReadableStream, { headers })
}

const idOf = (c: EdgeContext) => c.req.param('id') ?? ''
const objectOf = (c: EdgeContext) => c.env.JOBS.getByName(idOf(c))

function answer(given: Answer | null): Response {
  return new Response(opened(given), { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
}

/** @throws ApiError what it was refused with */
function opened(given: Answer | null): string {
  if (!given) throw new ApiError('not_found', 'There is no such job.')
  if ('json' in given) return given.json
  throw ApiError.fromDetail(given.refusal.error, 'internal_error', given.refusal.retryAfter ?? undefined)
}
