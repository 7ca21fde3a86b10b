/** `GET /v1/scaling`: for what starts and stops runners, such as KEDA. */
import { ApiError } from '#protocol/error.ts'
import { type Scaling, scalingSchema } from '#protocol/scaling.ts'
import { configOf } from '../env.ts'
import { loadIn } from '../runners/load.ts'
import { Runner } from '../runners/runner.ts'
import type { Operation } from './operation.ts'

const NO_RUNNER: Scaling = { waiting: 0, running: 0, slots: 0, runners: 0 }

export const scalingOperation: Operation = {
  method: 'GET',
  path: '/v1/scaling',
  scope: 'admin',
  tag: 'Health',
  summary: 'Read the load of all runners',
  description: 'Requests waiting and running, slots and runners, for what starts and stops runners.',
  answer: { description: 'The load', schema: scalingSchema },
  errors: ['runner_failed', 'runner_timeout'],
  async handle(c) {
    const scaling = await new Runner(configOf(c.env).runner, c.get('requestId'))
      .metrics()
      .then((metrics): Scaling => ({ ...loadIn(metrics), runners: 1 }))
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.code === 'runner_unavailable') return NO_RUNNER
        throw error
      })
    return c.json(scaling, 200, { 'cache-control': 'no-store' })
  },
}
