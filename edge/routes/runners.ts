/** `POST /internal/runners`: runners say that they are there. Not part of the API: it knows the runners' secret alone. */
import { ApiError } from '#protocol/error.ts'
import { runnerReportSchema } from '#protocol/runners.ts'
import { takeEnded } from '../accounts/ended.ts'
import type { EdgeContext } from '../context.ts'
import { configOf } from '../env.ts'
import { readBody } from '../http/body.ts'
import { FLEET } from '../runners/runners.ts'
import { sha256 } from '../storage/secrets.ts'

export const HEARTBEAT_PATH = '/internal/runners'

/** @throws ApiError 401 for anyone else */
export async function requireRunner(c: EdgeContext): Promise<void> {
  const { secret } = configOf(c.env).runners
  const [shown, expected] = await Promise.all([sha256(c.req.header('authorization') ?? ''), sha256(`Bearer ${secret}`)])
  // Hashes of random secrets: how far they agree tells nothing.
  if (shown !== expected) throw new ApiError('invalid_api_key', 'Only a runner may ask for this.')
}

/** @returns 204 when what has ended is written down. @throws ApiError 401 for anyone else */
export async function takeHeartbeat(c: EdgeContext): Promise<Response> {
  await requireRunner(c)
  const { ended, ...heartbeat } = await readBody(c.req.raw, runnerReportSchema)
  await c.env.FLEET.getByName(FLEET).beat(JSON.stringify(heartbeat))
  await takeEnded(c.env, ended)
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
}
