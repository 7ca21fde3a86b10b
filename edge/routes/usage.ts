/** `GET /v1/usage`: what was generated, from the ledger. */
import { ApiError } from '#protocol/error.ts'
import { usageQuerySchema, usageSchema } from '#protocol/keys.ts'
import { LEDGER } from '../accounts/ledger.ts'
import { mayCall, principalOf } from '../context.ts'
import { validate } from '../http/validate.ts'
import { readUsage } from '../storage/usage.ts'
import type { Operation } from './operation.ts'

const WIDTHS = { '1h': 3600, '1d': 86_400 } as const
const MOST_BUCKETS = 400

export const usageOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/v1/usage',
    scope: 'usage',
    tag: 'Keys',
    summary: 'Read what was used',
    description:
      'Tokens and requests by time, as OpenAI’s usage of completions, and by route if asked; with the scope admin everybody’s, else one’s own.',
    query: usageQuerySchema,
    answer: { description: 'Buckets of time', schema: usageSchema },
    async handle(c) {
      const { start_time, end_time, bucket_width, group_by = '' } = validate(usageQuerySchema, c.req.query())
      const width = WIDTHS[bucket_width]
      const to = end_time ?? Math.floor(Date.now() / 1000) + 1
      if (to <= start_time || to - start_time > MOST_BUCKETS * width) {
        const message = `Invalid 'start_time': expected a time before 'end_time', by ${MOST_BUCKETS} buckets at most, got ${start_time}.`
        throw new ApiError('invalid_value', message, { param: 'start_time' })
      }
      const principal = principalOf(c)
      await c.env.LEDGER.getByName(LEDGER).flush()
      const data = await readUsage(c.env.DB, {
        owner: mayCall(principal, 'admin') ? null : principal.owner,
        from: start_time,
        to,
        width,
        byKey: group_by.includes('key'),
        byModel: group_by.includes('model'),
        byRoute: group_by.includes('route'),
      })
      return c.json({ object: 'page', data, has_more: false, next_page: null })
    },
  },
]
