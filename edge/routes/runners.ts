/** `POST /internal/runners`: runners say that they are there. Not part of the API: it knows the runners' secret alone. */
import { runnerReportSchema } from '#protocol/runners.ts'
import { takeEnded } from '../accounts/ended.ts'
import type { EdgeContext } from '../context.ts'
import { readBody } from '../http/body.ts'
import { requireRunner } from '../runners/require-runner.ts'
import { FLEET } from '../runners/runners.ts'

export const HEARTBEAT_PATH = '/internal/runners'

/** @returns 204 when what has ended is written down. @throws ApiError 401 for anyone else */
export async function takeHeartbeat(c: EdgeContext): Promise<Response> {
  await requireRunner(c)
  const { ended, ...heartbeat } = await readBody(c.req.raw, runnerReportSchema)
  await c.env.FLEET.getByName(FLEET).beat(JSON.stringify(heartbeat))
  await takeEnded(c.env, ended)
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
}
