/** `GET /v1/scaling`: for what starts and stops runners, such as KEDA. */
import { scalingSchema } from '#protocol/scaling.ts'
import { Runners } from '../runners/runners.ts'
import type { Operation } from './operation.ts'

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
    const scaling = await new Runners(c.env, c.get('requestId')).scaling()
    return c.json(scaling, 200, { 'cache-control': 'no-store' })
  },
}
